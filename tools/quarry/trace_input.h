// SPDX-License-Identifier: MIT
#pragma once

#include "replay/event_source.h"
#include "replay/trace_tables.h"

#include <memory>
#include <string>
#include <string_view>

namespace quarry::tool {

class TraceSource;

// An opened trace, text or packed, as a player takes it.
class TraceInput : public replay::EventSource {
 public:
  virtual ~TraceInput() = default;

  virtual std::string title() const = 0;
  virtual std::string source() const = 0;
  virtual const replay::TraceTables& tables() const = 0;

  // Once next_block() was empty: throws a ToolError if that was because the trace is damaged or
  // contradicts itself there.
  virtual void require_whole() const = 0;
  // After that: what the recording took.
  virtual uint64_t duration_ns() const = 0;

  // Throws a ToolError that names the trace and where event number `event` stands in it.
  [[noreturn]] virtual void fail_at(uint64_t event, std::string_view message) const = 0;
};

// Reads what is in front of the events. `name` is what errors call the trace. `source` must outlive
// the input. Throws ToolError when it is no trace.
std::unique_ptr<TraceInput> open_trace(const std::string& name, TraceSource& source);

}  // namespace quarry::tool
