// SPDX-License-Identifier: MIT
#pragma once

// What marks the frames of a slab, whichever engine cuts it: each carries the number of its cache
// and its node, and leads to the first.

#include "frame/page_map.h"
#include "kmem/kmem_cache.h"

namespace quarry {

// `first` from the page allocator, a block of that order on that node.
inline void claim_slab_frames(const PageMap& map, Page& first, Order order, const KmemCache& cache,
                              unsigned node) {
  const Pfn pfn = map.pfn(&first);
  Page* const page = &first;
  for (uint32_t i = 1; i != order.pages(); ++i) {
    write_flags(page[i], QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL);
    page[i].head = pfn.value();
    page[i].cache = cache.number;
    page[i].node = static_cast<uint8_t>(node);
  }
  add_flags(first, QUARRY_PAGE_SLAB);
  first.order = order.value();
  first.cache = cache.number;
  first.node = static_cast<uint8_t>(node);
}

// The frames as the page allocator wants them back.
inline void release_slab_frames(Page& first) {
  Page* const page = &first;
  for (uint32_t i = Order(first.order).pages(); i-- != 0;) {
    drop_flags(page[i], QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL);
    page[i].head = 0;
    page[i].cache = 0;
    page[i].node = 0;
  }
  first.order = 0;
  first.link_next = first.link_prev = 0;
  first.freelist = nullptr;
}

}  // namespace quarry
