// SPDX-License-Identifier: MIT
#include "replay/memory_map_text.h"

#include "harness.h"

namespace {

using namespace quarry;

QUARRY_TEST(MemoryMapText, a_range_is_a_line) {
  constexpr MemoryRange kRanges[] = {
      {PhysAddr{0x1000}, 0x9e000, NodeId{0}, MemoryType::kUsable},
      {PhysAddr{0x100000}, 0x200000, NodeId{0}, MemoryType::kReserved},
      {PhysAddr{uint64_t{5} << 30}, uint64_t{1} << 30, NodeId{1}, MemoryType::kUsable},
  };
  FixedText<256> text;
  replay::write_memory_map(text, kRanges);
  CHECK_TEXT(text.c_str(),
             "memory-map 0x1000-0x9f000 node 0 usable\n"
             "memory-map 0x100000-0x300000 node 0 reserved\n"
             "memory-map 0x140000000-0x180000000 node 1 usable\n");
}

}  // namespace
