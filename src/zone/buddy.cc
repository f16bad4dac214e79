// SPDX-License-Identifier: MIT
#include "zone/buddy.h"

namespace quarry {

void Buddy::init(PageMap& map, BuddyCounters& counters, uint8_t zone_id, Pfn start, Pfn end) {
  map_ = &map;
  counters_ = &counters;
  zone_id_ = zone_id;
  start_ = start;
  end_ = end;
}

void Buddy::free(Pfn pfn, Order order, MigrateType type, Placement placement) {
  QUARRY_ASSERT(pfn != kNoPfn && pfn.is_aligned(order));
  QUARRY_ASSERT(pfn >= start_ && end_ - pfn >= order.pages());
  add_free_pages(static_cast<long>(order.pages()));
  merge(pfn, order, type, placement);
}

// Puts a free block that is in no list into one, together with its buddies.
void Buddy::merge(Pfn pfn, Order order, MigrateType type, Placement placement) {
  while (order < kMaxOrder) {
    const Pfn buddy = pfn ^ order.pages();
    if (!can_merge(buddy, order, type)) break;
    unlink(buddy);
    pfn = pfn & ~order.pages();
    ++order;
  }
  link(pfn, order, type, placement == Placement::kTail || merge_is_likely(pfn, order));
}

void Buddy::free_range(Pfn begin, Pfn end) {
  while (begin != end) {
    const uint32_t left = end - begin;
    unsigned order = find_first_set(begin.value() | kMaxOrder.pages()) - 1;
    while (uint32_t{1} << order > left) --order;
    free(begin, Order(order), pageblock_type(begin), Placement::kTail);
    begin += uint32_t{1} << order;
  }
}

BlockRun Buddy::take_run(Order order, MigrateType type, uint32_t most) {
  for (Order from = order; from <= kMaxOrder; ++from) {
    const Pfn pfn = list(from, type).first;
    if (pfn == kNoPfn) continue;
    unlink(pfn);
    const uint32_t blocks = uint32_t{1} << (from - order);
    const uint32_t count = blocks < most ? blocks : most;
    const uint32_t pages = count << order.value();
    // What stays free, in the largest blocks: at most one of each order below `from`, whose lists
    // are empty.
    for (uint32_t at = pages; at != from.pages();) {
      const Order rest(find_first_set(at) - 1);
      link(pfn + at, rest, type, false);
      at += rest.pages();
    }
    add_free_pages(-static_cast<long>(pages));
    return {pfn, count};
  }
  return {kNoPfn, 0};
}

void Buddy::move(Pfn pfn, MigrateType type) {
  const Order order(page(pfn).order);
  unlink(pfn);
  merge(pfn, order, type, Placement::kTail);
}

uint32_t Buddy::move_pageblock(Pfn pfn, MigrateType type) {
  Pfn at = pfn.align_down(Order(kPageblockOrder));
  Pfn end = at + kPageblockPages;
  if (at < start_) at = start_;
  if (end > end_) end = end_;
  uint32_t moved = 0;
  while (at < end) {
    uint32_t pages = 1;
    if (has_flag(page(at), QUARRY_PAGE_BUDDY)) {
      pages = Order(page(at).order).pages();
      move(at, type);
      moved += pages;
    }
    at += pages;
  }
  return moved;
}

bool Buddy::spans_pageblock(Pfn pfn) const {
  const Pfn first = pfn.align_down(Order(kPageblockOrder));
  return first >= start_ && end_ - first >= kPageblockPages;
}

uint32_t Buddy::count(Order order) const {
  uint32_t sum = 0;
  for (const FreeList& list : list_[order.value()]) sum += list.count;
  return sum;
}

// Zone first: descriptors of another zone are not ours to read. All frames that one block can have
// as buddies lie in one section, so there is a pageblock to ask.
bool Buddy::can_merge(Pfn buddy, Order order, MigrateType type) const {
  if (order.value() >= kPageblockOrder) {
    if (map_->pageblock(buddy).zone_id != zone_id_) return false;
    if (!merges_across(type, pageblock_type(buddy))) return false;
  }
  const Page& first = page(buddy);
  return has_flag(first, QUARRY_PAGE_BUDDY) && first.order == order.value();
}

// Whether the block of the next order beside the one that this block and its buddy would make is
// free: then the buddy is probably freed soon, and this block should not be handed out before.
bool Buddy::merge_is_likely(Pfn pfn, Order order) const {
  if (order.value() + 2 > kMaxOrder.value()) return false;
  const Order above = order + 1;
  const Pfn neighbour = pfn.align_down(above) ^ above.pages();
  if (above.value() >= kPageblockOrder && map_->pageblock(neighbour).zone_id != zone_id_) {
    return false;
  }
  const Page& first = page(neighbour);
  return has_flag(first, QUARRY_PAGE_BUDDY) && first.order == above.value();
}

void Buddy::link(Pfn pfn, Order order, MigrateType type, bool to_tail) {
  Page& block = page(pfn);
  QUARRY_ASSERT(block.flags == 0 && block._refcount == 0);
  write_flags(block, QUARRY_PAGE_BUDDY);
  block.order = order.value();
  BuddyPage::of(block).set_list_type(type);
  FreeList& list = list_[order.value()][static_cast<unsigned>(type)];
  if (list.first == kNoPfn) {
    block.link_next = block.link_prev = 0;
    list.first = list.last = pfn;
  } else if (to_tail) {
    block.link_next = 0;
    block.link_prev = list.last.value();
    page(list.last).link_next = pfn.value();
    list.last = pfn;
  } else {
    block.link_prev = 0;
    block.link_next = list.first.value();
    page(list.first).link_prev = pfn.value();
    list.first = pfn;
  }
  if (list.count++ == 0) note_list(order, type);
}

void Buddy::unlink(Pfn pfn) {
  BuddyPage& block = BuddyPage::of(page(pfn));
  const Order order(block.order);
  const MigrateType type = block.list_type();
  FreeList& list = list_[order.value()][static_cast<unsigned>(type)];
  const Pfn prev(block.link_prev);
  const Pfn next(block.link_next);
  if (prev == kNoPfn) {
    list.first = next;
  } else {
    page(prev).link_next = next.value();
  }
  if (next == kNoPfn) {
    list.last = prev;
  } else {
    page(next).link_prev = prev.value();
  }
  write_flags(block, 0);
  block.order = 0;
  block.node = 0;
  if (--list.count == 0) note_list(order, type);
}

// A list became empty, or not empty.
void Buddy::note_list(Order order, MigrateType type) {
  const auto& lists = list_[order.value()];
  const uint32_t bit = order.pages();
  bool any = false;
  std::atomic<uint32_t>* word = &counters_->nonempty;
  if (type < MigrateType::kHighAtomic) {
    for (unsigned i = 0; i != kPcpTypes; ++i) any |= lists[i].count != 0;
  } else if (type == MigrateType::kHighAtomic) {
    any = lists[static_cast<unsigned>(type)].count != 0;
    word = &counters_->nonempty_highatomic;
  } else {
    return;
  }
  const uint32_t rest = word->load(std::memory_order_relaxed) & ~bit;
  word->store(any ? rest | bit : rest, std::memory_order_relaxed);
}

// Written by the lock's holder only; an atomic so that it may be read without the lock.
void Buddy::add_free_pages(long pages) {
  counters_->free_pages.store(free_pages() + pages, std::memory_order_relaxed);
}

}  // namespace quarry
