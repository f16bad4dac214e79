// SPDX-License-Identifier: MIT
#include "zone/fallback.h"

#include "support/buddy_frames.h"

namespace quarry {
namespace {

constexpr MigrateType kU = MigrateType::kUnmovable;
constexpr MigrateType kM = MigrateType::kMovable;
constexpr MigrateType kR = MigrateType::kReclaimable;
using Frames = harness::BuddyFrames<4096>;

// Puts a block into the lists of a type, whose pageblock it is.
void give(Frames& f, uint32_t pfn, unsigned order, MigrateType type) {
  f.buddy.set_pageblock_type(Pfn(pfn), type);
  f.buddy.free(Pfn(pfn), Order(order), type);
}

QUARRY_TEST(Fallback, order_of_preference) {
  constexpr MigrateType kWanted[3][3] = {{kU, kR, kM}, {kM, kR, kU}, {kR, kU, kM}};
  for (const auto& row : kWanted) {
    Frames f;
    // Blocks of the order that nobody may take a pageblock for but Unmovable and Reclaimable.
    give(f, 512, 2, row[1]);
    give(f, 1024, 2, row[2]);
    CHECK(steal_fallback(f.buddy, Order(0), row[0], false) != Steal::kNothing);
    CHECK_EQ(f.blocks(2, row[0]), 1U);
    CHECK_EQ(f.blocks(2, row[1]), 0U);
    CHECK_EQ(f.blocks(2, row[2]), 1U);
  }
}

QUARRY_TEST(Fallback, takes_the_largest_block) {
  Frames f;
  give(f, 512, 3, kR);
  give(f, 1024, 8, kM);
  CHECK(steal_fallback(f.buddy, Order(0), kU, false) == Steal::kPartOfPageblock);
  CHECK_EQ(f.blocks(8, kU), 1U);
  CHECK_EQ(f.blocks(3, kR), 1U);
  CHECK(f.sound());
}

QUARRY_TEST(Fallback, whole_pageblocks_change_their_type) {
  Frames f;
  f.buddy.free_range(Pfn(1024), Pfn(2048));
  CHECK(steal_fallback(f.buddy, Order(0), kU, false) == Steal::kPageblocks);
  CHECK_EQ(f.blocks(10, kU), 1U);
  CHECK_EQ(f.buddy.pageblock_type(Pfn(1024)), kU);
  CHECK_EQ(f.buddy.pageblock_type(Pfn(1536)), kU);
  CHECK_EQ(f.buddy.pageblock_type(Pfn(2048)), kM);
  CHECK(f.sound());
}

QUARRY_TEST(Fallback, movable_takes_the_smallest_when_it_cannot_claim) {
  Frames f;
  give(f, 512, 3, kU);
  give(f, 1024, 1, kU);
  CHECK(steal_fallback(f.buddy, Order(0), kM, false) == Steal::kPartOfPageblock);
  CHECK_EQ(f.blocks(1, kM), 1U);
  CHECK_EQ(f.blocks(3, kU), 1U);
  // Types mix: the pageblock's stays.
  CHECK_EQ(f.buddy.pageblock_type(Pfn(1024)), kU);
  CHECK(f.sound());
}

QUARRY_TEST(Fallback, movable_claims_a_pageblock_that_is_half_free) {
  for (const bool half : {false, true}) {
    Frames f;
    const Pfn begin(kPageblockPages);
    constexpr unsigned kQuarter = kPageblockOrder - 2;
    f.buddy.set_pageblock_type(begin, kU);
    f.buddy.free(begin + kPageblockPages / 2, Order(kQuarter), kU);
    f.buddy.free(begin, Order(half ? kQuarter : kQuarter - 1), kU);
    // All free blocks of the pageblock move, its type only if enough of it is free.
    CHECK(steal_fallback(f.buddy, Order(0), kM, false) == Steal::kPartOfPageblock);
    CHECK_EQ(f.blocks(kQuarter, kM), half ? 2U : 1U);
    CHECK_EQ(f.blocks(kQuarter - 1, kM), half ? 0U : 1U);
    CHECK_EQ(f.buddy.pageblock_type(begin), half ? kM : kU);
    CHECK(f.sound());
  }
}

QUARRY_TEST(Fallback, unmovable_claims_from_movable_because_nobody_can_move_what_is_there) {
  Frames f;
  give(f, 512, 0, kM);
  give(f, 600, 3, kM);
  CHECK(steal_fallback(f.buddy, Order(0), kU, false) == Steal::kPartOfPageblock);
  CHECK_EQ(f.blocks(0, kU), 1U);
  CHECK_EQ(f.blocks(3, kU), 1U);
  CHECK_EQ(f.buddy.pageblock_type(Pfn(512)), kU);
}

QUARRY_TEST(Fallback, unmovable_claims_from_reclaimable_only_if_half_is_free) {
  Frames f;
  give(f, 512, 3, kR);
  CHECK(steal_fallback(f.buddy, Order(0), kU, false) == Steal::kPartOfPageblock);
  CHECK_EQ(f.buddy.pageblock_type(Pfn(512)), kR);
  Frames g;
  give(g, kPageblockPages, kPageblockOrder - 1, kR);
  CHECK(steal_fallback(g.buddy, Order(0), kU, false) == Steal::kPartOfPageblock);
  CHECK_EQ(g.buddy.pageblock_type(Pfn(kPageblockPages)), kU);
}

QUARRY_TEST(Fallback, whole_blocks_only_leaves_parts_alone) {
  Frames f;
  give(f, kPageblockPages, kPageblockOrder - 1, kM);
  CHECK(steal_fallback(f.buddy, Order(0), kU, true) == Steal::kNothing);
  CHECK_EQ(f.blocks(kPageblockOrder - 1, kM), 1U);
  give(f, 2 * kPageblockPages, kPageblockOrder, kM);
  CHECK(steal_fallback(f.buddy, Order(0), kU, true) == Steal::kPageblocks);
  CHECK_EQ(f.blocks(kPageblockOrder, kU), 1U);
}

QUARRY_TEST(Fallback, nothing_large_enough_is_nothing) {
  Frames f;
  give(f, 512, 3, kM);
  CHECK(steal_fallback(f.buddy, Order(4), kU, false) == Steal::kNothing);
  CHECK(steal_fallback(f.buddy, Order(3), kU, false) != Steal::kNothing);
}

QUARRY_TEST(Fallback, atomic_reserves_are_not_for_falling_back) {
  Frames f;
  give(f, 512, 9, MigrateType::kHighAtomic);
  for (MigrateType type : {kU, kM, kR}) {
    CHECK(steal_fallback(f.buddy, Order(0), type, false) == Steal::kNothing);
  }
}

QUARRY_TEST(Fallback, a_pageblock_that_the_zone_has_only_in_part_is_never_claimed) {
  Frames f(0, 4096 - 128);
  give(f, 3584, 8, kM);
  CHECK(steal_fallback(f.buddy, Order(0), kU, false) == Steal::kPartOfPageblock);
  CHECK_EQ(f.blocks(8, kU), 1U);
  CHECK_EQ(f.buddy.pageblock_type(Pfn(3584)), kM);
}

}  // namespace
}  // namespace quarry
