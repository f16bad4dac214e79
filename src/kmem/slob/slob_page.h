// SPDX-License-Identifier: MIT
#pragma once

// How SLOB uses the descriptors of its pages.

#include "frame/page_map.h"
#include "kmem/slob/slob_blocks.h"

namespace quarry {

// A page of blocks: marked SLAB, of cache number 0.
struct SlobPage : Page {
  static SlobPage& of(Page& page) {
    QUARRY_ASSERT(is_one(page));
    return static_cast<SlobPage&>(page);
  }
  static bool is_one(const Page& page) {
    return page.cache == 0 && (flags_of(page) & (QUARRY_PAGE_SLAB | kRaw)) == QUARRY_PAGE_SLAB;
  }
  // The first page of an object of a page or more, which is SLAB and of no cache too.
  static bool is_raw(const Page& page) { return page.cache == 0 && has_flag(page, kRaw); }
  static constexpr uint32_t kRaw = 1U << (QUARRY_PAGE_OWNER_SHIFT + 2);

  unsigned list() const { return flags_of(*this) >> QUARRY_PAGE_OWNER_SHIFT & 3; }
  void set_list(unsigned number) {
    write_flags(*this, QUARRY_PAGE_SLAB | number << QUARRY_PAGE_OWNER_SHIFT);
  }

  uint16_t free_units() const { return objects; }
  uint16_t bound() const { return inuse; }
  SlobFree load() const {
    const uintptr_t first = reinterpret_cast<uintptr_t>(freelist) % kPageBytes / kSlobUnitBytes;
    return {objects, inuse, freelist == nullptr ? uint16_t{kSlobUnits} : uint16_t(first)};
  }
  // `memory`: the page's first byte.
  void store(const SlobFree& free, unsigned char* memory) {
    objects = free.units;
    inuse = free.bound;
    freelist = free.units == 0 ? nullptr : memory + size_t{free.first} * kSlobUnitBytes;
  }
};
static_assert(sizeof(SlobPage) == sizeof(Page));

}  // namespace quarry
