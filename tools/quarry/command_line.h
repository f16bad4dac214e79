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
  std::vector<std::string> engines = {"slub"};  // each replays every trace
  std::vector<std::string> proc_names = {};     // texts of /proc to show, of a replay's end
  std::optional<std::string> json;              // where the JSON goes
};

// `quarry pack`
struct PackOptions {
  std::string trace;
  std::string output;
};

// `quarry compare`
struct CompareOptions {
  std::vector<std::string> traces;
  std::optional<std::string> json;  // where the JSON goes
};

// What the command line asks for: work, or just a text on standard output.
struct Command {
  std::optional<ReplayOptions> replay = {};
  std::optional<PackOptions> pack = {};
  std::optional<CompareOptions> compare = {};
  std::string text = {};
};

// Throws ToolError when the command line makes no sense.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace quarry::tool
