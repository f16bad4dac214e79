// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "target.h"

namespace quarry::tool {

// A simulated machine of this process with a MemorySystem on it: the same calls have the same
// effect in every run. Throws ToolError when there cannot be such a machine.
std::unique_ptr<Target> make_memory_system_target(const MachineSpec& spec);

}  // namespace quarry::tool
