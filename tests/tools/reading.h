// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "temporary_folder.h"
#include "tool_error.h"
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
