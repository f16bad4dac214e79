// SPDX-License-Identifier: MIT
#include "zone/zone.h"

#include "zone/fallback.h"

namespace quarry {

long Zone::pages_above_mark(ZoneType highest, const AllocFlags& flags) const {
  long mark = lowered_mark(marks.at(flags.mark), flags);
  if (!flags.uses_reserves()) mark += marks.highatomic.load(std::memory_order_relaxed);
  return free_pages() - mark - marks.lowmem_reserve[static_cast<unsigned>(highest)];
}

BlockRun Zone::take_locked(Order order, MigrateType wanted, uint32_t most, const AllocFlags& flags,
                           bool boost) {
  for (;;) {
    const BlockRun run = buddy.take_run(order, wanted, most);
    if (run.count != 0) return run;
    switch (steal_fallback(buddy, order, wanted, flags.no_fragment)) {
      case Steal::kNothing:
        return run;
      case Steal::kPartOfPageblock:
        if (boost) raise_boost();
        break;
      case Steal::kPageblocks:
        break;
    }
  }
}

void Zone::free_locked(Page& page, Pfn pfn, Order order) {
  write_flags(page, 0);
  page.order = 0;
  page._refcount = 0;
  buddy.free(pfn, order, buddy.pageblock_type(pfn));
}

// vm.watermark_boost_factor is 15000 ten-thousandths of the high mark. A zone of less than four
// pageblocks has no room for it.
void Zone::raise_boost() {
  constexpr uint32_t kBoostFactor = 15000;
  if (managed < uint64_t{4} * kPageblockPages) return;
  const auto high = static_cast<uint64_t>(marks.mark[static_cast<unsigned>(Mark::kHigh)]);
  auto most = static_cast<long>(muldiv(high, kBoostFactor, 10000));
  if (most == 0) return;
  constexpr long kStep = kPageblockPages;
  if (most < kStep) most = kStep;
  const long raised = marks.boost.load(std::memory_order_relaxed) + kStep;
  marks.boost.store(raised < most ? raised : most, std::memory_order_relaxed);
  boosted.store(true, std::memory_order_relaxed);
  update_fast_marks();
}

// A block may be larger than a pageblock; it counts as pages kept, or no longer kept, as a whole.
uint32_t Zone::change_pageblocks(Pfn pfn, Order order, MigrateType to) {
  uint32_t moved = 0;
  long pages = 0;
  const Pfn first = pfn.align_down(Order(kPageblockOrder));
  for (Pfn at = first; at < pfn + order.pages(); at += kPageblockPages) {
    buddy.set_pageblock_type(at, to);
    pages += long{kPageblockPages};
  }
  for (Pfn at = first; at < pfn + order.pages(); at += kPageblockPages) {
    moved += buddy.move_pageblock(at < pfn ? pfn : at, to);
  }
  const long kept = marks.highatomic.load(std::memory_order_relaxed);
  const bool keep = to == MigrateType::kHighAtomic;
  marks.highatomic.store(keep ? kept + pages : kept - pages, std::memory_order_relaxed);
  update_fast_marks();
  return moved;
}

void Zone::reserve_highatomic(Pfn pfn, Order order) {
  const auto most = static_cast<long>(div_u64(managed, 100)) + long{kPageblockPages};
  LockGuard guard(lock);
  if (marks.highatomic.load(std::memory_order_relaxed) >= most) return;
  if (!is_mergeable(buddy.pageblock_type(pfn))) return;
  change_pageblocks(pfn, order, MigrateType::kHighAtomic);
}

bool Zone::unreserve_highatomic(MigrateType to, bool force) {
  LockGuard guard(lock);
  const long kept = marks.highatomic.load(std::memory_order_relaxed);
  if (kept == 0 || (!force && kept <= long{kPageblockPages})) return false;
  for (Order order{0}; order <= kMaxOrder; ++order) {
    const Pfn pfn = buddy.list(order, MigrateType::kHighAtomic).first;
    if (pfn != kNoPfn) return change_pageblocks(pfn, order, to) != 0;
  }
  return false;
}

void Zone::update_fast_marks() {
  const long mark = marks.at(Mark::kLow) + marks.highatomic.load(std::memory_order_relaxed) +
                    static_cast<long>(kMaxPcpOrder.pages() - 1);
  for (unsigned highest = 0; highest != kZoneTypes; ++highest) {
    fast_mark[highest].store(mark + marks.lowmem_reserve[highest], std::memory_order_relaxed);
  }
}

}  // namespace quarry
