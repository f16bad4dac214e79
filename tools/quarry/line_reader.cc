// SPDX-License-Identifier: MIT
#include "line_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tool_error.h"
#include "trace_source.h"

namespace quarry::tool {
namespace {

// Small enough that what was unpacked is still in the CPU's second-level cache when it is parsed.
constexpr size_t kBufferBytes = size_t{256} << 10;

}  // namespace

LineReader::LineReader(std::string name, TraceSource& source)
    : name_(std::move(name)),
      source_(source),
      buffer_(kBufferBytes + 1),  // one more for the newline that a file may lack at its end
      begin_(buffer_.data()),
      complete_(buffer_.data()),
      filled_(buffer_.data()) {}

bool LineReader::read_line(std::string_view& line) {
  const char* start = begin_line();
  if (start == nullptr) return false;
  line = rest_of_line(start);
  end_line(line.data() + line.size());
  return true;
}

std::string_view LineReader::rest_of_line(const char* from) const {
  const auto bytes = static_cast<size_t>(complete_ - from);
  const void* newline = std::memchr(from, '\n', bytes);
  return {from, static_cast<size_t>(static_cast<const char*>(newline) - from)};
}

void LineReader::fail(std::string_view message) const {
  throw ToolError(fmt::format("{}:{}: {}", name_, std::max<uint64_t>(line_number_, 1), message));
}

// Moves the unfinished line to the front and reads until at least one line is complete.
bool LineReader::refill() {
  char* const front = buffer_.data();
  const auto carried = static_cast<size_t>(filled_ - complete_);
  std::memmove(front, complete_, carried);
  begin_ = complete_ = front;
  filled_ = front + carried;
  while (complete_ == front) {
    const size_t room = kBufferBytes - static_cast<size_t>(filled_ - front);
    if (room == 0) {
      ++line_number_;
      fail(fmt::format("a line of more than {} bytes", kBufferBytes));
    }
    size_t got = 0;
    try {
      got = source_.read({filled_, room});
    } catch (const ToolError& error) {
      if (filled_ != front) ++line_number_;
      fail(error.what());
    }
    if (got == 0) {
      if (filled_ == front) return false;
      unterminated_ = true;
      *filled_++ = '\n';
      complete_ = filled_;
      return true;
    }
    const void* newline = memrchr(filled_, '\n', got);
    filled_ += got;
    if (newline != nullptr) complete_ = static_cast<const char*>(newline) + 1;
  }
  return true;
}

}  // namespace quarry::tool
