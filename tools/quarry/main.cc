// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "command_line.h"
#include "compare_command.h"
#include "output_file.h"
#include "pack_command.h"
#include "replay_command.h"
#include "simulated_machine.h"
#include "tool_error.h"

namespace quarry::tool {
namespace {

int run(int argc, const char* const* argv) {
  secure_standard_streams();
  const Command command = parse_command_line(argc, argv);
  if (command.replay) return replay_command(*command.replay, make_simulated_machine);
  if (command.compare) {
    compare_command(*command.compare);
    return 0;
  }
  if (command.pack) {
    pack_command(*command.pack);
    return 0;
  }
  write_stdout(command.text);
  return 0;
}

}  // namespace
}  // namespace quarry::tool

int main(int argc, char** argv) {
  try {
    return quarry::tool::run(argc, argv);
  } catch (const std::exception& error) {
    // ToolError, or memory of the host that ran out: a header may ask for more slots than there is.
    fmt::print(stderr, "quarry: {}\n", error.what());
    return quarry::tool::kBadInputStatus;
  }
}
