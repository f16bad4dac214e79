// SPDX-License-Identifier: MIT
#pragma once

// What a frame is used for, as overlays of struct page (abi/page.h). An overlay is a view with the
// fields that are meaningful in that use; as_*() checks the flags in debug builds. The states of a
// block's first page exclude each other:
//
//   BUDDY     in a free list of its zone: link_next, link_prev, order, node as list type
//   PCP       in a per-CPU stack: order
//   SLAB      head: freelist, inuse, objects, order, cache, node, links; tails: head, cache, node
//   otherwise allocated (_refcount > 0), reserved, or the inside of a block

#include <atomic>
#include <cstddef>

#include "arch/arch.h"
#include "base/assert.h"
#include "gfp/zone_table.h"
#include "quarry/abi/page.h"
#include "quarry/units.h"

namespace quarry {

using Page = ::page;

static_assert(sizeof(Page) == (sizeof(void*) == 8 ? 32 : 28));
static_assert(offsetof(Page, flags) == 8 + sizeof(void*));

// Only a page's owner writes its flags, but others look: a block that is freed looks whether its
// buddy is free too. So every write is an atomic store, and every read by others an atomic load.
inline uint32_t flags_of(const Page& page) {
  return std::atomic_ref(const_cast<uint32_t&>(page.flags)).load(std::memory_order_relaxed);
}
inline void write_flags(Page& page, uint32_t flags) {
  std::atomic_ref(page.flags).store(flags, std::memory_order_relaxed);
}
inline bool has_flag(const Page& page, uint32_t flag) { return (flags_of(page) & flag) != 0; }
inline void add_flags(Page& page, uint32_t flags) { write_flags(page, flags_of(page) | flags); }
inline void drop_flags(Page& page, uint32_t flags) { write_flags(page, flags_of(page) & ~flags); }

// The first page of a block in a buddy free list. `node` holds the migrate type of the list.
struct BuddyPage : Page {
  static BuddyPage& of(Page& page) {
    QUARRY_ASSERT(has_flag(page, QUARRY_PAGE_BUDDY));
    return static_cast<BuddyPage&>(page);
  }
  MigrateType list_type() const { return MigrateType(node); }
  void set_list_type(MigrateType type) { node = static_cast<uint8_t>(type); }
};

// The first page of a slab.
struct SlabPage : Page {
  static SlabPage& of(Page& page) {
    QUARRY_ASSERT((page.flags & (QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL)) == QUARRY_PAGE_SLAB);
    return static_cast<SlabPage&>(page);
  }
  uint16_t free_objects() const { return static_cast<uint16_t>(objects - inuse); }
};

// The first page of a kmalloc block larger than the largest size class.
struct LargeKmallocPage : Page {
  static LargeKmallocPage& of(Page& page) {
    QUARRY_ASSERT(has_flag(page, QUARRY_PAGE_LARGE_KMALLOC));
    return static_cast<LargeKmallocPage&>(page);
  }
  size_t bytes() const { return kPageBytes << order; }
};

static_assert(sizeof(BuddyPage) == sizeof(Page) && sizeof(SlabPage) == sizeof(Page) &&
              sizeof(LargeKmallocPage) == sizeof(Page));

}  // namespace quarry
