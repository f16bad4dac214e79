// SPDX-License-Identifier: MIT
#pragma once

#include <quarry/platform.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::tool {

// The machine that a trace is replayed on.
struct MachineSpec {
  unsigned nodes = 1;
  unsigned cpus = 0;  // 0: as many as the trace was recorded on
  uint64_t ram_bytes = uint64_t{8} << 30;
  // Explicit memory map; nodes and ram_bytes then say what is in it. Empty: one range a node.
  std::vector<MemoryRange> memory_map = {};
  std::string engine = "slub";
  uint64_t seed = 0;
  // RAM that the trace may use, as far as is known. The host is made to back it before the clock
  // starts, as the memory of a real machine is there before it is used.
  uint64_t expected_bytes = 0;
};

// Reads `nodes=N,cpus=N,ram=SIZE` or `map=FILE,cpus=N`, each part at most once and in any order,
// into `spec`. SIZE is a number of bytes or has one of the suffixes K, M, G, T; FILE is as for
// read_memory_map(). Throws ToolError for anything else and for a machine that cannot exist.
void parse_machine(std::string_view text, MachineSpec& spec);

// The names in `text`, which commas separate, or of all engines there are for "all". Throws
// ToolError for a name that is none of them or comes twice.
std::vector<std::string> parse_engines(std::string_view text);
// All engines there are.
std::vector<std::string> engine_names();

// "2 nodes, 4 CPUs, 8 GiB"
std::string describe(const MachineSpec& spec);

}  // namespace quarry::tool
