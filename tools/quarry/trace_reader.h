// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "line_reader.h"
#include "trace_events.h"
#include "trace_header.h"

namespace quarry::tool {

class FieldScanner;
class TraceSource;

// Reads a `kmtrace 1` trace: its tables at once, its events one by one, in constant memory.
//
// Checks everything that a line alone can tell (fields, ranges of slots and table indices, classes
// of sites) and the totals of the header; which slots are live is for the caller to follow. Every
// error is a ToolError that names the trace and the line.
class TraceReader {
 public:
  // Reads the header. `name` is what errors call the trace. `source` must outlive this.
  TraceReader(std::string name, TraceSource& source);

  const TraceHeader& header() const { return header_; }

  // The next event. False after the trace's `end` line, when the numbers of events and nanoseconds
  // are those that the header promised and nothing follows.
  bool next(TraceEvent& event);

  // Events handed out so far.
  uint64_t events() const { return events_; }

  // Sum of the time steps of those.
  uint64_t duration_ns() const { return duration_ns_; }

  // The line of the trace's first event: each takes one line, and after the last is the `end` line.
  uint64_t first_event_line() const { return first_event_line_; }

 private:
  void parse_op(char op, FieldScanner& fields, TraceEvent& event);
  void parse_object_event(char op, FieldScanner& fields, TraceEvent& event);
  void parse_page_event(char op, FieldScanner& fields, TraceEvent& event);
  void parse_area_event(char op, FieldScanner& fields, TraceEvent& event);
  void parse_unknown_free(FieldScanner& fields, TraceEvent& event);
  void take_site(FieldScanner& fields, TraceEvent& event);
  [[noreturn]] void fail_line(const FieldScanner& fields);
  [[noreturn]] void fail_at_early_end();
  bool finish(const char* line);

  LineReader lines_;
  TraceHeader header_;
  uint64_t first_event_line_;
  uint64_t events_ = 0;
  uint64_t duration_ns_ = 0;
};

}  // namespace quarry::tool
