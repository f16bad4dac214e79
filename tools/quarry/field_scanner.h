// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quarry::tool {

// Takes the fields of one event line from left to right, one space before each but the first.
//
// The first field that is wrong is remembered, every field after it reads as 0, and the caller asks
// once at the end of the line: so taking a field costs one loop over its digits and two predictable
// branches. Never goes beyond the line's newline, which must be in memory.
class FieldScanner {
 public:
  explicit FieldScanner(const char* line) : at_(line) {}

  // The line's first field, a number below `limit`. `what` names the field in messages.
  uint64_t first_number(const char* what, uint64_t limit) {
    const char* p = at_;
    uint64_t value = 0;
    for (unsigned digit; (digit = static_cast<unsigned>(*p) - '0') < 10; ++p) {
      value = value * 10 + digit;
    }
    const bool fits = p - at_ <= kMostDigits && value < limit;
    if (p == at_ || !fits) [[unlikely]] {
      return reject(what, limit, !fits && p != at_);
    }
    at_ = p;
    return value;
  }

  // A further number below `limit`.
  uint64_t number(const char* what, uint64_t limit) {
    if (!space()) [[unlikely]] {
      return reject(what, limit, false);
    }
    return first_number(what, limit);
  }

  // One character of `allowed` that stands alone or in front of another field.
  char letter(const char* what, std::string_view allowed) {
    if (!space()) [[unlikely]] {
      return reject(what, 0, false);
    }
    return glued_letter(what, allowed);
  }

  // One character of `allowed` that follows the last field without a space.
  char glued_letter(const char* what, std::string_view allowed) {
    if (what_ != nullptr || allowed.find(*at_) == allowed.npos) [[unlikely]] {
      return reject(what, 0, false);
    }
    return *at_++;
  }

  // True when a field follows that begins with `c`; takes that character and not the rest.
  bool skip_if(char c) {
    if (at_[0] != ' ' || at_[1] != c) return false;
    at_ += 2;
    return true;
  }

  // Takes whatever is left of the line.
  void skip_line() {
    while (*at_ != '\n') ++at_;
  }

  bool line_ends_here() const { return *at_ == '\n'; }
  bool ok() const { return what_ == nullptr; }
  const char* position() const { return at_; }

  // Says what is wrong with the line. Requires that a field was rejected, or that the line goes on
  // where it should end.
  std::string complaint() const;

 private:
  // As many digits as cannot overflow 64 bits.
  static constexpr ptrdiff_t kMostDigits = 19;

  bool space() {
    if (*at_ != ' ' || what_ != nullptr) [[unlikely]] {
      return false;
    }
    ++at_;
    return true;
  }

  // Remembers the first wrong field. Returns 0, so that callers can return it as the field's value.
  char reject(const char* what, uint64_t limit, bool out_of_range);

  const char* at_;
  const char* what_ = nullptr;  // the first wrong field
  uint64_t limit_ = 0;
  bool out_of_range_ = false;
};

}  // namespace quarry::tool
