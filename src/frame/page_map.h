// SPDX-License-Identifier: MIT
#pragma once

// From addresses to frames to their descriptors and back.
//
// Descriptors lie in one virtually contiguous array indexed by frame number, so address -> page is
// subtract, shift, add. Zone, node and migrate type do not lie in the descriptor but with the
// section (128 MiB) as two bytes for each pageblock. A section without memory has none.
//
//   address(pfn) == direct_base + (pfn << kPageShift)      for pfn < direct_end
//   page(pfn)    == map + pfn                              for pfn < end

#include <atomic>

#include "frame/page.h"
#include "gfp/zone_table.h"

namespace quarry {

inline constexpr unsigned kSectionOrder = 27 - kPageShift;
inline constexpr unsigned kPageblockOrder = Arch::kPageblockOrder;
inline constexpr uint32_t kPageblockPages = 1u << kPageblockOrder;
inline constexpr uint32_t kBlocksPerSection = 1u << (kSectionOrder - kPageblockOrder);
inline constexpr uint8_t kNoZone = 0xff;

struct Pageblock {
  uint8_t migratetype;  // written under the lock of the zone, read without it
  uint8_t zone_id;      // PageAllocator's number of the zone; kNoZone: no memory here. Set at boot
};

struct MemorySection {
  Pageblock block[kBlocksPerSection];
};

class PageMap {
 public:
  // `map` has room for the descriptors of frames [0, end), zeroed; `sections` one pointer for each
  // section of [0, end), null where there is no memory. Both belong to the caller and stay.
  // Frames below `direct_end` are seen at direct_base.
  void boot(Page* map, MemorySection** sections, Pfn end, VirtAddr direct_base, Pfn direct_end) {
    map_ = map;
    sections_ = sections;
    end_ = end;
    direct_base_ = direct_base.value();
    direct_frames_ = direct_end.value();
  }

  Pfn end() const { return end_; }
  Page* page(Pfn pfn) const { return map_ + pfn.value(); }
  Pfn pfn(const Page* page) const { return Pfn(static_cast<uint32_t>(page - map_)); }

  // Null for frames above the direct map.
  void* address(Pfn pfn) const {
    if (pfn.value() >= direct_frames_) return nullptr;
    return reinterpret_cast<void*>(direct_base_ + (uintptr_t{pfn.value()} << kPageShift));
  }
  void* address(const Page* page) const { return address(pfn(page)); }

  bool in_direct_map(const void* address) const {
    return (reinterpret_cast<uintptr_t>(address) - direct_base_) >> kPageShift < direct_frames_;
  }
  // The frame of a directly mapped address.
  Pfn pfn_of(const void* address) const {
    return Pfn(
        static_cast<uint32_t>((reinterpret_cast<uintptr_t>(address) - direct_base_) >> kPageShift));
  }
  // Null where the address is not directly mapped.
  Page* page_of(const void* address) const {
    const uintptr_t frame = (reinterpret_cast<uintptr_t>(address) - direct_base_) >> kPageShift;
    return frame < direct_frames_ ? map_ + frame : nullptr;
  }
  // The page of an address in the direct map.
  Page* page_at(const void* address) const {
    return map_ + ((reinterpret_cast<uintptr_t>(address) - direct_base_) >> kPageShift);
  }
  uintptr_t direct_base() const { return direct_base_; }

  // True where the frame exists and belongs to a zone.
  bool valid(Pfn pfn) const {
    return pfn < end_ && sections_[pfn.value() >> kSectionOrder] != nullptr &&
           pageblock(pfn).zone_id != kNoZone;
  }
  // Requires a frame in a section with memory.
  Pageblock& pageblock(Pfn pfn) const {
    MemorySection* section = sections_[pfn.value() >> kSectionOrder];
    return section->block[pfn.value() >> kPageblockOrder & (kBlocksPerSection - 1)];
  }
  // A reader without the zone's lock may see what was true a moment ago.
  static MigrateType migratetype(const Pageblock& block) {
    uint8_t& type = const_cast<uint8_t&>(block.migratetype);  // atomic_ref has no reading form
    return MigrateType(std::atomic_ref(type).load(std::memory_order_relaxed));
  }
  MigrateType migratetype(Pfn pfn) const { return migratetype(pageblock(pfn)); }
  void set_migratetype(Pfn pfn, MigrateType type) const {
    std::atomic_ref(pageblock(pfn).migratetype)
        .store(static_cast<uint8_t>(type), std::memory_order_relaxed);
  }

 private:
  Page* map_ = nullptr;
  uintptr_t direct_base_ = 0;
  uintptr_t direct_frames_ = 0;  // a word, so that comparing takes one instruction
  Pfn end_{};
  MemorySection** sections_ = nullptr;
};

// First page of the compound block or slab that `page` belongs to; the page itself otherwise.
inline Page* compound_head(const PageMap& map, Page* page) {
  return has_flag(*page, QUARRY_PAGE_TAIL) ? map.page(Pfn(page->head)) : page;
}

}  // namespace quarry
