// SPDX-License-Identifier: MIT
#pragma once

// Allocating and freeing a block of small order while this CPU's stacks can serve it: inlined into
// the calls that are made most. Nothing is called but in tail position, so that no register has to
// be saved.

#include "sync/execution_context.h"
#include "zone/page_allocator.h"

namespace quarry {

// What every new block's first page is, whatever it was before. The other pages of a block that is
// not compound are not touched.
inline void make_plain(Page& page) {
  write_flags(page, 0);
  page._refcount = 1;
  page.head = 0;
  page.cache = 0;
  page.order = 0;
  page.node = 0;
}

// The watermark check of a request without special rights at the low mark, which is the mark it is
// given, with room for a block of kMaxPcpOrder. In doubt it says no, and the slow path checks
// exactly.
inline bool above_fast_mark(const BuddyCounters& free, const std::atomic<long>& mark, Order order) {
  const long pages =
      order <= kMaxPcpOrder ? 0 : static_cast<long>(order.pages() - kMaxPcpOrder.pages());
  return free.free_pages.load(std::memory_order_relaxed) - pages >
             mark.load(std::memory_order_relaxed) &&
         (order == Order(0) || free.nonempty.load(std::memory_order_relaxed) >> order.value() != 0);
}

// What a page must not be when it is freed; the owner's own flags do not matter any more.
inline constexpr uint32_t kBadFlags = QUARRY_PAGE_BUDDY | QUARRY_PAGE_PCP | QUARRY_PAGE_TAIL |
                                      QUARRY_PAGE_SLAB | QUARRY_PAGE_LARGE_KMALLOC |
                                      QUARRY_PAGE_RESERVED;

inline std::atomic_ref<int32_t> references(Page* page) { return std::atomic_ref(page->_refcount); }

template <class Place>
[[gnu::always_inline]] inline Page* PageAllocator::alloc_inline(Gfp gfp, unsigned order,
                                                                NodeId node, Place place) {
  if (order <= kMaxPcpOrder.value() && !needs_context_check(uint32_t(gfp))) [[likely]] {
    const Route& route = routes_for(node).route[uint32_t(gfp) % kRoutes];
    if (above_fast_mark(*route.free, *route.mark, Order(order))) [[likely]] {
      Page* page = static_cast<Page*>(Arch::pop(stacks_, route.stack_offset[order]));
      if (page != nullptr) [[likely]] {
        if (any(gfp, gfp::kZero | gfp::kComp)) [[unlikely]]
          return finish(page, gfp, Order(order));
        make_plain(*page);
        return page;
      }
    }
  }
  return alloc_beyond_stacks(gfp, order, node, place());
}

inline void PageAllocator::mark_in_stack(Page& page, Order order) {
  write_flags(page, QUARRY_PAGE_PCP);
  page.order = order.value();
  page._refcount = 0;
}

// The caller held the last reference.
[[gnu::always_inline]] inline void PageAllocator::free_block_fast(Page* page, unsigned order) {
  const Pfn pfn = map_.pfn(page);
  const bool plain = ((page->flags & (kBadFlags | QUARRY_PAGE_HEAD)) | page->cache) == 0;
  if (!plain || order > kMaxPcpOrder.value() || (order != 0 && !pfn.is_aligned(Order(order))))
      [[unlikely]] {
    return free_block_slow(page, order_of(order));
  }
  const Pageblock& block = map_.pageblock(pfn);
  const MigrateType type = PageMap::migratetype(block);
  if (!is_mergeable(type)) [[unlikely]]
    return free_block_slow(page, Order(order));
  Zone& zone = zones_[block.zone_id];
  mark_in_stack(*page, Order(order));
  const PushResult result = Arch::push(stacks_, zone.stacks.offset(Order(order), type), page, 0);
  if (result != PushResult::kPushed) [[unlikely]]
    free_to_stack(zone, page, Order(order), type);
}

[[gnu::always_inline]] inline void PageAllocator::free_inline(Page* page, unsigned order) {
  // With one reference nobody else can take or drop one.
  if (references(page).load(std::memory_order_acquire) != 1) [[unlikely]]
    return free_shared(page, order_of(order));
  free_block_fast(page, order);
}

}  // namespace quarry
