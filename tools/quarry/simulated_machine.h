// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "replay_machine.h"

namespace quarry::tool {

// A simulated machine of this process with a MemorySystem on it: the same calls have the same
// effect in every run. Throws ToolError when there cannot be such a machine.
std::unique_ptr<ReplayMachine> make_simulated_machine(const MachineSpec& spec);

}  // namespace quarry::tool
