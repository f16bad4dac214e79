// SPDX-License-Identifier: MIT
#pragma once

#include "command_line.h"
#include "replay_machine.h"
#include "run_result.h"

namespace quarry::tool {

// `quarry replay`: every trace in turn on a machine of its own, tables to standard output as each
// one ends, then the JSON. Returns the exit status: 0, or 1 when a machine's invariants do not
// hold. Throws ToolError for bad input; no JSON is written then.
int replay_command(const ReplayOptions& options, const ReplayMachineFactory& make_machine);

// The replays alone, every trace through every engine in turn; nothing is written.
std::vector<RunResult> replay_all(const ReplayOptions& options,
                                  const ReplayMachineFactory& make_machine);

}  // namespace quarry::tool
