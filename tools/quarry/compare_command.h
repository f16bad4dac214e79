// SPDX-License-Identifier: MIT
#pragma once

#include "command_line.h"

namespace quarry::tool {

// `quarry compare`: measures the slab engines and the ways to ask for memory on this host, tables
// to standard output, then the JSON. Throws ToolError for bad input.
void compare_command(const CompareOptions& options);

}  // namespace quarry::tool
