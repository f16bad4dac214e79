// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "machine_spec.h"

namespace quarry::tool {

// `quarry replay`
struct ReplayOptions {
  std::vector<std::string> traces;
  MachineSpec machine;
  std::optional<std::string> json;  // where the JSON goes
};

// `quarry pack`
struct PackOptions {
  std::string trace;
  std::string output;
};

// What the command line asks for: work, or just a text on standard output.
struct Command {
  std::optional<ReplayOptions> replay = {};
  std::optional<PackOptions> pack = {};
  std::string text = {};
};

// Throws ToolError when the command line makes no sense.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace quarry::tool
