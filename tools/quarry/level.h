// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace quarry::tool {

// An amount that goes up and down, and the most that it was.
struct Level {
  uint64_t now = 0;
  uint64_t peak = 0;

  void add(uint64_t amount) {
    now += amount;
    peak = std::max(peak, now);
  }
  void remove(uint64_t amount) { now -= amount; }
};

}  // namespace quarry::tool
