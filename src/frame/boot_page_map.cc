// SPDX-License-Identifier: MIT
#include "frame/boot_page_map.h"

namespace quarry {

namespace {

// Gives every section that `region` touches its pageblocks, unless it has them.
bool add_sections(MemorySection** sections, BootMemory& boot, uint32_t first, uint32_t last) {
  for (uint32_t i = first; i <= last; ++i) {
    if (sections[i] != nullptr) continue;
    sections[i] = boot.alloc_array<MemorySection>(1);
    if (sections[i] == nullptr) return false;
    for (Pageblock& block : sections[i]->block) block.zone_id = kNoZone;
  }
  return true;
}

// Freeing a block looks at its buddy and at the block beside the two: both lie in the same largest
// block. Where memory is less than one, no block has half of it, because frame 0 is never free, and
// twice as many frames are enough. The last frame number of all stays unused: its successor has to
// be a number too.
Pfn end_of_descriptors(uint64_t frames) {
  uint64_t unit = kMaxOrder.pages();
  while (unit / 4 >= frames) unit /= 2;
  const uint64_t end = (frames + unit - 1) & ~(unit - 1);
  return Pfn(end > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(end));
}

}  // namespace

bool boot_page_map(PageMap& map, BootMemory& boot, const Platform& platform) {
  constexpr unsigned kSectionShift = kSectionOrder + kPageShift;
  const RegionList& memory = boot.memblock().memory();
  if (memory.size() == 0) return false;
  const uint64_t end_byte = memory[memory.size() - 1].end;
  const auto section_count = static_cast<uint32_t>((end_byte - 1) >> kSectionShift) + 1;
  const Pfn end = end_of_descriptors((end_byte + kPageBytes - 1) >> kPageShift);
  Page* pages = static_cast<Page*>(boot.alloc(uint64_t{end.value()} * sizeof(Page)));
  MemorySection** sections = boot.alloc_array<MemorySection*>(section_count);
  if (pages == nullptr || sections == nullptr) return false;
  // Sections are memory too: what they take does not change the list of memory.
  for (const MemoryRegion& region : memory) {
    if (!add_sections(sections, boot, static_cast<uint32_t>(region.start >> kSectionShift),
                      static_cast<uint32_t>((region.end - 1) >> kSectionShift))) {
      return false;
    }
  }
  constexpr uint64_t kDirectFrames = Arch::kLowmemLimit >> kPageShift;
  const Pfn direct_end = uint64_t{end.value()} > kDirectFrames ? Pfn(kDirectFrames) : end;
  map.boot(pages, sections, end, platform.direct_map_base(), direct_end);
  return true;
}

}  // namespace quarry
