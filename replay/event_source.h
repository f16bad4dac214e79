// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace quarry::replay {

// Where a player gets coded events from.
class EventSource {
 public:
  // The next whole events; they stay until the next call. Empty when there are no more.
  virtual std::span<const uint8_t> next_block() = 0;

 protected:
  ~EventSource() = default;
};

}  // namespace quarry::replay
