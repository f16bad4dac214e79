// SPDX-License-Identifier: MIT
#include "replay/memory_map_text.h"

namespace quarry::replay {

void write_memory_map(TextSink& out, std::span<const MemoryRange> ranges) {
  for (const MemoryRange& range : ranges) {
    format(out, "%s 0x%llx-0x%llx node %d %s\n", kMemoryMapWord, range.start,
           range.start.value() + range.bytes, range.node,
           range.type == MemoryType::kUsable ? "usable" : "reserved");
  }
}

}  // namespace quarry::replay
