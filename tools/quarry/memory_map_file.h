// SPDX-License-Identifier: MIT
#pragma once

#include <quarry/platform.h>

#include <string>
#include <vector>

namespace quarry::tool {

// The memory map that a text tells of: its lines that begin with `memory-map`, as
// replay::write_memory_map() writes them; other lines, of a kernel's boot for example, are skipped.
// Throws ToolError when there is none, or one that makes no sense.
std::vector<MemoryRange> read_memory_map(const std::string& path);

}  // namespace quarry::tool
