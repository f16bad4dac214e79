// SPDX-License-Identifier: MIT
#pragma once

// Kernel-parameter syntax (Linux: admin-guide/kernel-parameters.rst): words separated by white
// space, each `name` or `name=value`; double quotes keep white space in a value; in names '-' and
// '_' are the same.

#include <cstdint>
#include <string_view>

namespace quarry {

struct Parameter {
  std::string_view word;  // as written
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};

// Takes one parameter off the front of `rest`. False: none is left.
bool next_parameter(std::string_view& rest, Parameter& parameter);

bool same_name(std::string_view a, std::string_view b);

// Decimal, or hexadecimal after 0x. False: something else, or too large.
bool parse_number(std::string_view text, uint64_t& number);
// With a minus in front if wanted.
bool parse_signed(std::string_view text, int64_t& number);
// A number with one of K M G T behind it, powers of 1024.
bool parse_bytes(std::string_view text, uint64_t& bytes);
// y n 1 0 on off.
bool parse_bool(std::string_view text, bool& value);
// Takes what stands before the first `separator`, or everything, off the front of `rest`.
std::string_view take_field(std::string_view& rest, char separator);

}  // namespace quarry
