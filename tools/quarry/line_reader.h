// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::tool {

class TraceSource;

// Cuts a trace into lines in one buffer that is reused: nothing is allocated or copied for a line.
//
// `begin <= complete <= filled`: whole lines, each with its newline, lie in [begin, complete); what
// lies in [complete, filled) is the front of a line whose rest is still in the source.
class LineReader {
 public:
  // `name` is what errors call the trace. `source` must outlive this.
  LineReader(std::string name, TraceSource& source);

  // Start of the next line; its newline is in memory behind it. Null at the end of the trace.
  // Whoever takes a line says where it ended by advance() before the next call.
  const char* begin_line() {
    if (begin_ == complete_ && !refill()) return nullptr;
    ++line_number_;
    return begin_;
  }

  // Ends the line that begin_line() handed out: `newline` points to its newline.
  void end_line(const char* newline) { begin_ = newline + 1; }

  // The next line as text without its newline; false at the end of the trace.
  bool read_line(std::string_view& line);

  // The rest of the current line, for messages.
  std::string_view rest_of_line(const char* from) const;

  // True once the line handed out last is one without a newline behind it, at the end of the file:
  // perhaps only the front of a line.
  bool line_is_unterminated() const { return unterminated_; }

  // Number of the line handed out last, from 1.
  uint64_t line_number() const { return line_number_; }

  // Throws a ToolError that names the trace and the current line.
  [[noreturn]] void fail(std::string_view message) const;

 private:
  bool refill();

  std::string name_;
  TraceSource& source_;
  std::vector<char> buffer_;
  const char* begin_;
  const char* complete_;
  char* filled_;
  uint64_t line_number_ = 0;
  bool unterminated_ = false;
};

}  // namespace quarry::tool
