// SPDX-License-Identifier: MIT
// Allocation while memory is plenty: the fast path, the stacks and their refill, the zones in turn.
#include "gfp/memalloc_scope.h"
#include "sync/execution_context.h"
#include "zone/alloc_request.h"
#include "zone/page_fast_paths.h"

namespace quarry {

namespace {

// In a public function: whom its reports name.
[[gnu::always_inline]] inline uintptr_t place_or_caller(uintptr_t place) {
  return place != 0 ? place : reinterpret_cast<uintptr_t>(__builtin_return_address(0));
}

}  // namespace

Page* PageAllocator::alloc(Gfp gfp, Order order, NodeId node, uintptr_t place) {
  return alloc_inline(gfp, order.value(), node, [=] { return place_or_caller(place); });
}

// What the fast path for small orders could not serve.
[[gnu::noinline]] Page* PageAllocator::alloc_beyond_stacks(Gfp gfp, unsigned order, NodeId node,
                                                           uintptr_t place) {
  if (kKeepsHugePages && order == kHugeOrder.value()) return alloc_huge(gfp, node, place);
  return alloc_slow(gfp, order_of(order), node, place);
}

Page* PageAllocator::alloc_huge(Gfp gfp, NodeId node, uintptr_t place) {
  if (!needs_context_check(uint32_t(gfp))) {
    const RouteTable& table = routes_for(node);
    const Route& route = table.route[uint32_t(gfp) % kRoutes];
    const uint32_t offset = table.huge_stack_offset[uint32_t(gfp) % kRoutes];
    if (above_fast_mark(*route.free, *route.mark, kHugeOrder)) {
      auto* page = static_cast<Page*>(Arch::pop(stacks_, offset));
      if (page != nullptr) return finish(page, gfp, kHugeOrder);
    }
  }
  return alloc_slow(gfp, kHugeOrder, node, place);
}

[[gnu::noinline]] Page* PageAllocator::finish(Page* page, Gfp gfp, Order order) {
  const bool zeroed = has_flag(*page, QUARRY_PAGE_ZEROED);
  make_plain(*page);
  if (any(gfp, gfp::kZero) && !zeroed) clear(page, order);
  if (any(gfp, gfp::kComp) && order > Order(0)) make_compound(page, order);
  return page;
}

void PageAllocator::clear(Page* page, Order order) {
  void* const direct = map_.address(page);
  if (!Arch::kHasHighmem || direct != nullptr) {
    __builtin_memset(direct, 0, kPageBytes << order.value());
    return;
  }
  for (Page* const end = page + order.pages(); page != end; ++page) {
    void* const mapped = kmap_->map_local(page);
    __builtin_memset(mapped, 0, kPageBytes);
    kmap_->unmap_local(mapped, 0);
  }
}

void PageAllocator::make_compound(Page* page, Order order) {
  const uint32_t head = map_.pfn(page).value();
  add_flags(*page, QUARRY_PAGE_HEAD);
  page->order = order.value();
  for (uint32_t i = 1; i != order.pages(); ++i) {
    write_flags(page[i], QUARRY_PAGE_TAIL);
    page[i].head = head;
  }
}

// The whole contract: what the fast path could not serve, or should not.
Page* PageAllocator::alloc_slow(Gfp gfp, Order order, NodeId node, uintptr_t place) {
  if (order > kMaxOrder) {
    if (!any(gfp, gfp::kNoWarn)) {
      reporter_.warn_once(place, "page allocation of an order above the largest");
    }
    return nullptr;
  }
  AllocRequest request;
  if (!prepare(request, gfp, order, node, place)) return nullptr;
  Page* page = from_zones(request);
  if (page == nullptr) [[unlikely]]
    page = alloc_under_pressure(request, place);
  if (page == nullptr) return nullptr;
  finish(page, zero_on_alloc_ ? request.gfp | gfp::kZero : request.gfp, order);
  if (request.flags.no_watermarks) add_flags(*page, QUARRY_PAGE_PFMEMALLOC);
  return page;
}

// Checks a request and fills in what it stands for. False: fault injection fails it.
bool PageAllocator::prepare(AllocRequest& request, Gfp gfp, Order order, NodeId node,
                            uintptr_t place) {
  gfp = current_gfp_context(gfp);
  if (!zone_bits_valid(gfp)) reporter_.warn_once(place, "contradictory GFP zone bits");
  MigrateType type = gfp_migratetype(gfp);
  if (type > MigrateType::kReclaimable) {
    reporter_.warn_once(place, "__GFP_MOVABLE with __GFP_RECLAIMABLE");
    type = MigrateType::kUnmovable;
  }
  if (any(gfp, gfp::kNoFail) && order > Order(1)) {
    reporter_.warn_once(place, "__GFP_NOFAIL with an order above 1");
  }
  if (node != kNoNode && static_cast<unsigned>(node.value()) >= node_count_) {
    reporter_.warn_once(place, "page allocation from a node that does not exist");
    node = kNoNode;
  }
  reporter_.check_context(uint32_t(gfp), place);
  if (fault_.should_fail_page(gfp, order)) return false;
  const Node& home = nodes_[(node == kNoNode ? local_node() : node).value()];
  request = {gfp, order, type, gfp_zone(gfp), {}, &home.zonelist(gfp), nullptr};
  request.preferred = request.zones->first(request.highest);
  request.flags.kswapd = any(gfp, gfp::kKswapdReclaim);
  request.flags.no_fragment = avoids_fragments(request.preferred);
  return true;
}

// A request whose first zone is Normal goes to DMA32 before it takes a part of another type's
// pageblock, if its node has DMA32 (Linux: alloc_flags_nofragment()). CPUs without that zone do not
// care.
bool PageAllocator::avoids_fragments(const Zone* preferred) const {
  if (Arch::kDma32Limit == 0) return false;
  if (preferred == nullptr || preferred->type != ZoneType::kNormal) return false;
  return node_count_ == 1 || node(preferred->node).zone(ZoneType::kDma32).populated();
}

Page* PageAllocator::from_zones(AllocRequest& request) {
  AllocFlags& flags = request.flags;
  for (;; flags.no_fragment = false) {
    for (Zone* zone : *request.zones) {
      if (zone->type > request.highest) continue;
      // Fragments on the own node are better than memory of another.
      if (flags.no_fragment && zone->node != request.preferred->node) break;
      if (!flags.no_watermarks && !zone->above_mark(request.order, request.highest, flags)) {
        continue;
      }
      if (Page* page = from_zone(*zone, request)) return page;
    }
    if (!flags.no_fragment) return nullptr;
  }
}

Page* PageAllocator::from_zone(Zone& zone, const AllocRequest& request) {
  Page* page = is_pcp_order(request.order) ? from_stack(zone, request) : nullptr;
  if (page == nullptr) page = from_buddy(zone, request);
  if (page != nullptr && request.flags.high_atomic) {
    zone.reserve_highatomic(map_.pfn(page), request.order);
  }
  if (pressure_ != nullptr && request.flags.kswapd && zone.take_boosted()) {
    pressure_->wake_background_reclaim(request.gfp, Order(0), *request.zones, zone.type);
  }
  return page;
}

Page* PageAllocator::from_stack(Zone& zone, const AllocRequest& request) {
  CpuArrays& stack = zone.stacks.arrays(request.order, request.type);
  if (void* block = stack.pop()) return static_cast<Page*>(block);
  return stack.is_off() ? nullptr : refill_stack(zone, request, stack);
}

// Fetches blocks for the stack and returns one more. It leaves at least one page above the mark as
// long as there is one: a stack can be used only while the zone is above it.
Page* PageAllocator::refill_stack(Zone& zone, const AllocRequest& request, CpuArrays& stack) {
  uint32_t wanted = zone.stacks.refill_count(request.order);
  const long above = zone.pages_above_mark(request.highest, request.flags) - 1;
  const long blocks = above >> request.order.value();
  if (blocks < static_cast<long>(wanted)) wanted = blocks < 1 ? 1 : static_cast<uint32_t>(blocks);
  // From the back, so that the stack hands them out in the order in which they were taken.
  void* block[PageStacks::kMostRefill];
  uint32_t first = wanted;
  {
    LockGuard guard(zone.lock);
    while (first != 0) {
      const BlockRun run =
          zone.take_locked(request.order, request.type, first, request.flags, boosts());
      if (run.count == 0) break;
      Page* page = map_.page(run.first);
      for (uint32_t i = 0; i != run.count; ++i, page += request.order.pages()) {
        leave_buddy_locked(*page, request.order);
        block[--first] = page;
      }
    }
  }
  if (first == wanted) return nullptr;
  const std::span<void*> rest(block + first, wanted - first - 1);
  for (void* entry : rest) {
    auto* page = static_cast<Page*>(entry);
    const uint32_t zeroed = page->flags & QUARRY_PAGE_ZEROED;
    mark_in_stack(*page, request.order);
    add_flags(*page, zeroed);
  }
  const uint32_t pushed = stack.push_many(rest, 0);
  if (pushed != rest.size()) free_to_zone(zone, rest.subspan(pushed), request.order);
  return static_cast<Page*>(block[wanted - 1]);
}

Page* PageAllocator::from_buddy(Zone& zone, const AllocRequest& request) {
  const AllocFlags& flags = request.flags;
  LockGuard guard(zone.lock);
  Pfn pfn = kNoPfn;
  if (flags.high_atomic) pfn = zone.buddy.take(request.order, MigrateType::kHighAtomic);
  if (pfn == kNoPfn) {
    pfn = zone.take_locked(request.order, request.type, 1, flags, boosts()).first;
  }
  if (pfn == kNoPfn && flags.oom) pfn = zone.buddy.take(request.order, MigrateType::kHighAtomic);
  if (pfn == kNoPfn) return nullptr;
  leave_buddy_locked(*map_.page(pfn), request.order);
  return map_.page(pfn);
}

void PageAllocator::leave_buddy_locked(Page& page, Order order) {
  if (fresh_.take(map_.pfn(&page), order)) add_flags(page, QUARRY_PAGE_ZEROED);
}

void* PageAllocator::alloc_exact(size_t bytes, Gfp gfp, NodeId node, uintptr_t place) {
  place = place_or_caller(place);
  if (any(gfp, gfp::kComp | gfp::kHighmemBit)) {
    reporter_.warn_once(place, "alloc_pages_exact() with __GFP_COMP or __GFP_HIGHMEM");
    gfp &= ~(gfp::kComp | gfp::kHighmemBit);
  }
  const size_t pages = (bytes >> kPageShift) + ((bytes & (kPageBytes - 1)) != 0 ? 1 : 0);
  const Order order(pages == 0 ? kMaxOrder.value() + 1 : find_last_set(pages - 1));
  Page* page = alloc_slow(gfp, order, node, place);
  if (page == nullptr) return nullptr;
  split(page, order);
  for (size_t i = pages; i != order.pages(); ++i) free(page + i, Order(0));
  return map_.address(page);
}

size_t PageAllocator::alloc_bulk(Gfp gfp, NodeId node, std::span<Page*> pages, uintptr_t place) {
  place = place_or_caller(place);
  size_t done = 0;
  while (done != pages.size() && pages[done] != nullptr) ++done;
  if (done == pages.size()) return done;
  // One page, or pages that are charged, take the ordinary way.
  const bool single = pages.size() - done == 1 || any(gfp, gfp::kAccount);
  AllocRequest request;
  Zone* zone = nullptr;
  if (!single) {
    if (!prepare(request, gfp, Order(0), node, place)) return done;
    request.flags.no_fragment = false;
    zone = zone_for_bulk(request, pages.size());
  }
  bool any_taken = false;
  for (; zone != nullptr && done != pages.size(); ++done) {
    if (pages[done] != nullptr) continue;
    Page* page = from_stack(*zone, request);
    if (page == nullptr) page = from_buddy(*zone, request);
    if (page == nullptr) break;
    pages[done] = finish(page, request.gfp, Order(0));
    any_taken = true;
  }
  if (any_taken) return done;
  Page* page = alloc_slow(gfp, Order(0), node, place);
  if (page != nullptr) pages[done++] = page;
  return done;
}

// A zone of the preferred node that stays above its low mark when all `count` pages are taken.
Zone* PageAllocator::zone_for_bulk(const AllocRequest& request, size_t count) const {
  for (Zone* zone : *request.zones) {
    if (zone->type > request.highest) continue;
    if (zone->node != request.preferred->node) return nullptr;
    const long mark = zone->marks.at(Mark::kLow) + static_cast<long>(count);
    if (watermark_ok(zone->counters, zone->marks, Order(0), mark, request.highest, request.flags)) {
      return zone;
    }
  }
  return nullptr;
}

}  // namespace quarry
