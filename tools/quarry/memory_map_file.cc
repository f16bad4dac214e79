// SPDX-License-Identifier: MIT
#include "memory_map_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

#include "replay/memory_map_text.h"
#include "replay/trace_tables.h"
#include "tool_error.h"

namespace quarry::tool {
namespace {

// What follows the first word of a line. False: it is not as it should be.
bool parse_range(const char* text, MemoryRange& range) {
  uint64_t start = 0;
  uint64_t end = 0;
  unsigned node = 0;
  int used = 0;
  const int found =
      std::sscanf(text, " 0x%" SCNx64 "-0x%" SCNx64 " node %u %n", &start, &end, &node, &used);
  if (found != 3 || used == 0 || end <= start || node >= replay::kMaxNodes) return false;
  const std::string_view type = text + used;
  if (type != "usable" && type != "reserved") return false;
  range = {.start = PhysAddr{start},
           .bytes = end - start,
           .node = NodeId{node},
           .type = type == "usable" ? MemoryType::kUsable : MemoryType::kReserved};
  return true;
}

}  // namespace

std::vector<MemoryRange> read_memory_map(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw ToolError(fmt::format("{}: {}", path, std::strerror(errno)));
  constexpr size_t kWordLength = sizeof(replay::kMemoryMapWord) - 1;
  std::vector<MemoryRange> ranges;
  std::string line;
  for (uint64_t number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();  // of a serial line
    if (!line.starts_with(replay::kMemoryMapWord)) continue;
    MemoryRange range{};
    if (!parse_range(line.c_str() + kWordLength, range)) {
      throw ToolError(fmt::format("{}:{}: '{:.60}' is not '{} 0xSTART-0xEND node N usable'", path,
                                  number, line, replay::kMemoryMapWord));
    }
    ranges.push_back(range);
  }
  if (ranges.empty()) {
    throw ToolError(fmt::format("{}: no line begins with '{}'", path, replay::kMemoryMapWord));
  }
  return ranges;
}

}  // namespace quarry::tool
