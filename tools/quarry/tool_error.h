// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>

namespace quarry::tool {

// Input that cannot be worked with. The text says what and where, without the program's name;
// `main` prints it as one line and exits with kBadInputStatus.
class ToolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Exit status of every bad input: option, machine, trace, output.
inline constexpr int kBadInputStatus = 2;

}  // namespace quarry::tool
