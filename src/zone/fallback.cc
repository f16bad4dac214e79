// SPDX-License-Identifier: MIT
#include "zone/fallback.h"

namespace quarry {

namespace {

constexpr MigrateType kFallbacks[kPcpTypes][2] = {
    {MigrateType::kReclaimable, MigrateType::kMovable},    // for Unmovable
    {MigrateType::kReclaimable, MigrateType::kUnmovable},  // for Movable
    {MigrateType::kUnmovable, MigrateType::kMovable},      // for Reclaimable
};

// Whether the request may take the rest of the pageblock too. Movable pages can be moved out of
// others' pageblocks later, so they take a pageblock only for a large block.
bool may_take_pageblock(Order block, MigrateType type) {
  return block.value() >= kPageblockOrder / 2 || type != MigrateType::kMovable;
}

Pfn find_block(const Buddy& buddy, Order order, MigrateType type) {
  for (MigrateType other : kFallbacks[static_cast<unsigned>(type)]) {
    const Pfn pfn = buddy.list(order, other).first;
    if (pfn != kNoPfn) return pfn;
  }
  return kNoPfn;
}

// Pages of a pageblock that go well with `type` though they are in use. No page in use is movable
// until its owner can move it, so what is used in a Movable pageblock goes with the other types.
uint32_t compatible_pages(MigrateType block, MigrateType type, uint32_t free) {
  if (type == MigrateType::kMovable || block != MigrateType::kMovable) return 0;
  return kPageblockPages - free;
}

Steal take_block(Buddy& buddy, Pfn pfn, Order order, MigrateType type) {
  const MigrateType old_type = buddy.pageblock_type(pfn);
  if (order.value() >= kPageblockOrder) {
    for (uint32_t i = 0; i < order.pages(); i += kPageblockPages) {
      buddy.set_pageblock_type(pfn + i, type);
    }
    buddy.move(pfn, type);
    return Steal::kPageblocks;
  }
  if (!may_take_pageblock(order, type) || !buddy.spans_pageblock(pfn)) {
    buddy.move(pfn, type);
    return Steal::kPartOfPageblock;
  }
  const uint32_t free = buddy.move_pageblock(pfn, type);
  if (free + compatible_pages(old_type, type, free) >= kPageblockPages / 2) {
    buddy.set_pageblock_type(pfn, type);
  }
  return Steal::kPartOfPageblock;
}

}  // namespace

Steal steal_fallback(Buddy& buddy, Order order, MigrateType type, bool whole_blocks_only) {
  Order least = order;
  if (whole_blocks_only && order.value() < kPageblockOrder) least = Order(kPageblockOrder);
  for (Order from = kMaxOrder;; --from) {
    Pfn pfn = find_block(buddy, from, type);
    if (pfn != kNoPfn) {
      if (!may_take_pageblock(from, type) && from > order) {
        // It will share a pageblock anyway: then the smallest block does least harm.
        for (from = order; (pfn = find_block(buddy, from, type)) == kNoPfn;) ++from;
      }
      return take_block(buddy, pfn, from, type);
    }
    if (from == least) return Steal::kNothing;
  }
}

}  // namespace quarry
