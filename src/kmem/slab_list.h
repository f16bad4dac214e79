// SPDX-License-Identifier: MIT
#pragma once

#include "frame/page_map.h"

namespace quarry {

// Slabs linked through their descriptors, by the frame numbers of their first pages. A slab is in
// one list at most, and has to be in the one it is removed from.
struct SlabList {
  uint32_t first = 0;
  uint32_t last = 0;

  void push_front(const PageMap& map, Page& slab) {
    const uint32_t frame = map.pfn(&slab).value();
    slab.link_prev = 0;
    slab.link_next = first;
    (first == 0 ? last : map.page(Pfn(first))->link_prev) = frame;
    first = frame;
  }
  void push_back(const PageMap& map, Page& slab) {
    const uint32_t frame = map.pfn(&slab).value();
    slab.link_next = 0;
    slab.link_prev = last;
    (last == 0 ? first : map.page(Pfn(last))->link_next) = frame;
    last = frame;
  }
  void remove(const PageMap& map, Page& slab) {
    (slab.link_prev == 0 ? first : map.page(Pfn(slab.link_prev))->link_next) = slab.link_next;
    (slab.link_next == 0 ? last : map.page(Pfn(slab.link_next))->link_prev) = slab.link_prev;
  }
  // All of `other`, which is empty then, behind those that are here.
  void append(const PageMap& map, SlabList& other) {
    if (other.first == 0) return;
    map.page(Pfn(other.first))->link_prev = last;
    (last == 0 ? first : map.page(Pfn(last))->link_next) = other.first;
    last = other.last;
    other = {};
  }
  template <class Visit>
  void for_each(const PageMap& map, Visit visit) const {
    for (uint32_t frame = first; frame != 0; frame = map.page(Pfn(frame))->link_next) {
      visit(*map.page(Pfn(frame)));
    }
  }
};

}  // namespace quarry
