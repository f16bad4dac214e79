// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "temporary_folder.h"
#include "tool_error.h"
#include "trace_input.h"
#include "trace_reader.h"
#include "trace_source.h"

namespace quarry::tool {

// A trace in memory as the reader sees it: under the name "T".
struct Reading {
  explicit Reading(std::string_view text)
      : source(folder.write("trace", text)), reader("T", source) {}

  std::vector<TraceEvent> all() {
    std::vector<TraceEvent> events;
    TraceEvent event{};
    while (reader.next(event)) events.push_back(event);
    return events;
  }

  TemporaryFolder folder;
  TraceSource source;
  TraceReader reader;
};

// The same as a replay takes it.
struct OpenTrace {
  explicit OpenTrace(std::string_view bytes)
      : source(folder.write("trace", bytes)), input(open_trace("T", source)) {}

  TemporaryFolder folder;
  TraceSource source;
  std::unique_ptr<TraceInput> input;
};

// What `action` throws, or nothing.
template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const ToolError& error) {
    return error.what();
  }
  return "";
}

inline std::string error_of_reading(std::string_view text) {
  return error_of([text] { Reading(text).all(); });
}

}  // namespace quarry::tool
