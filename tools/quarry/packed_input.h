// SPDX-License-Identifier: MIT
#pragma once

#include "replay/packed_trace.h"

#include <vector>

#include "trace_input.h"

namespace quarry::tool {

// A packed trace, read as a whole.
class PackedInput final : public TraceInput {
 public:
  PackedInput(std::string name, TraceSource& source);

  std::string title() const override { return trace_.title(); }
  std::string source() const override { return trace_.source(); }
  const replay::TraceTables& tables() const override { return trace_.tables(); }
  std::span<const uint8_t> next_block() override { return trace_.next_block(); }
  // It was looked through when it was opened.
  void require_whole() const override {}
  uint64_t duration_ns() const override { return trace_.duration_ns(); }
  [[noreturn]] void fail_at(uint64_t event, std::string_view message) const override;

 private:
  std::string name_;
  std::vector<uint8_t> bytes_;
  replay::PackedTrace trace_;
};

// Takes all events of `input` and returns the packed trace that has them. Throws ToolError as
// TraceInput does.
std::string pack(TraceInput& input);

}  // namespace quarry::tool
