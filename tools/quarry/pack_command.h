// SPDX-License-Identifier: MIT
#pragma once

#include "command_line.h"

namespace quarry::tool {

// `quarry pack`: a trace in the form that can be replayed where it lies in memory. Throws ToolError
// for bad input; nothing is written then.
void pack_command(const PackOptions& options);

}  // namespace quarry::tool
