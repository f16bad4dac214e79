// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <limits>

namespace quarry {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 16;
}

std::string_view without_quotes(std::string_view text) {
  if (!text.empty() && text.front() == '"') text.remove_prefix(1);
  if (!text.empty() && text.back() == '"') text.remove_suffix(1);
  return text;
}

}  // namespace

bool next_parameter(std::string_view& rest, Parameter& parameter) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  if (rest.empty()) return false;
  size_t length = 0;
  size_t equals = std::string_view::npos;
  for (bool quoted = false; length != rest.size(); ++length) {
    const char c = rest[length];
    if (is_space(c) && !quoted) break;
    if (c == '"') quoted = !quoted;
    if (c == '=' && equals == std::string_view::npos) equals = length;
  }
  const std::string_view word(rest.data(), length);
  rest.remove_prefix(length);
  parameter = {.word = word, .name = without_quotes(word), .value = {}, .has_value = false};
  if (equals != std::string_view::npos) {
    // Quotes are round the value or round the whole word.
    const bool outside = word.front() == '"';
    parameter.name = std::string_view(word.data() + outside, equals - outside);
    parameter.value = without_quotes({word.data() + equals + 1, length - equals - 1});
    parameter.has_value = true;
  }
  return true;
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i != a.size(); ++i) {
    const char in_a = a[i] == '-' ? '_' : a[i];
    const char in_b = b[i] == '-' ? '_' : b[i];
    if (in_a != in_b) return false;
  }
  return true;
}

bool parse_number(std::string_view text, uint64_t& number) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && lower(text[1]) == 'x') {
    base = 16;
    text.remove_prefix(2);
  }
  if (text.empty()) return false;
  uint64_t sum = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit >= base || __builtin_mul_overflow(sum, base, &sum) ||
        __builtin_add_overflow(sum, digit, &sum)) {
      return false;
    }
  }
  number = sum;
  return true;
}

bool parse_signed(std::string_view text, int64_t& number) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  uint64_t magnitude = 0;
  if (!parse_number(text, magnitude) || magnitude > std::numeric_limits<int64_t>::max()) {
    return false;
  }
  number = negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
  return true;
}

bool parse_bytes(std::string_view text, uint64_t& bytes) {
  unsigned shift = 0;
  constexpr std::string_view kSuffixes = "kmgt";
  if (!text.empty()) {
    const size_t suffix = kSuffixes.find(lower(text.back()));
    if (suffix != std::string_view::npos) {
      shift = static_cast<unsigned>(suffix + 1) * 10;
      text.remove_suffix(1);
    }
  }
  uint64_t number = 0;
  if (!parse_number(text, number) || number > std::numeric_limits<uint64_t>::max() >> shift) {
    return false;
  }
  bytes = number << shift;
  return true;
}

bool parse_bool(std::string_view text, bool& value) {
  const bool yes = text == "1" || text == "y" || text == "Y" || text == "on" || text == "true";
  const bool no = text == "0" || text == "n" || text == "N" || text == "off" || text == "false";
  if (yes || no) value = yes;
  return yes || no;
}

std::string_view take_field(std::string_view& rest, char separator) {
  size_t length = 0;
  while (length != rest.size() && rest[length] != separator) ++length;
  const std::string_view field(rest.data(), length);
  rest.remove_prefix(length == rest.size() ? length : length + 1);
  return field;
}

}  // namespace quarry
