// SPDX-License-Identifier: MIT
#include "zone/buddy.h"

#include "support/buddy_frames.h"

namespace quarry {
namespace {

using harness::BuddyFrames;
constexpr MigrateType kM = MigrateType::kMovable;
constexpr MigrateType kU = MigrateType::kUnmovable;
constexpr MigrateType kH = MigrateType::kHighAtomic;
using Frames = BuddyFrames<4096>;

QUARRY_TEST(Buddy, a_range_is_freed_in_the_largest_blocks) {
  Frames f;
  f.buddy.free_range(Pfn(1), Pfn(2051));
  CHECK_EQ(f.buddy.free_pages(), 2050);
  // 1, 2-3, 4-7, ... 512-1023, 1024-2047, 2048-2049, 2050.
  for (unsigned order = 2; order <= 9; ++order) CHECK_EQ(f.blocks(order, kM), 1U);
  CHECK_EQ(f.blocks(0, kM), 2U);
  CHECK_EQ(f.blocks(1, kM), 2U);
  CHECK_EQ(f.blocks(10, kM), 1U);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, an_allocation_splits_and_the_lower_half_is_taken) {
  Frames f;
  f.buddy.free_range(Pfn(1024), Pfn(2048));
  CHECK_EQ(f.buddy.take(Order(0), kM).value(), 1024U);
  for (unsigned order = 0; order <= 9; ++order) {
    CHECK_EQ(f.blocks(order, kM), 1U);
    CHECK_EQ(f.buddy.list(Order(order), kM).first.value(), 1024U + (1U << order));
  }
  CHECK_EQ(f.blocks(10, kM), 0U);
  CHECK_EQ(f.buddy.free_pages(), 1023);
  CHECK(f.sound());
  // A run of allocations ascends.
  for (uint32_t i = 1; i != 1024; ++i) CHECK_EQ(f.buddy.take(Order(0), kM).value(), 1024 + i);
  CHECK(f.buddy.take(Order(0), kM) == kNoPfn);
  CHECK_EQ(f.buddy.free_pages(), 0);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, freeing_merges_up_to_the_largest_order) {
  Frames f;
  f.buddy.free_range(Pfn(1024), Pfn(2048));
  for (uint32_t i = 0; i != 1024; ++i) f.buddy.take(Order(0), kM);
  for (uint32_t i = 1; i < 1024; i += 2) f.buddy.free(Pfn(1024 + i), Order(0), kM);
  CHECK_EQ(f.blocks(0, kM), 512U);
  CHECK(f.sound());
  for (uint32_t i = 0; i != 1024; i += 2) f.buddy.free(Pfn(1024 + i), Order(0), kM);
  CHECK_EQ(f.blocks(10, kM), 1U);
  for (unsigned order = 0; order <= 9; ++order) CHECK_EQ(f.blocks(order, kM), 0U);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, two_blocks_of_the_largest_order_stay_two) {
  Frames f;
  f.buddy.free(Pfn(3072), kMaxOrder, kM);
  f.buddy.free(Pfn(2048), kMaxOrder, kM);
  CHECK_EQ(f.blocks(10, kM), 2U);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, freed_blocks_go_to_the_head) {
  Frames f;
  f.buddy.free(Pfn(1024), Order(0), kM);
  f.buddy.free(Pfn(1040), Order(0), kM);
  f.buddy.free(Pfn(1060), Order(0), kM, Placement::kTail);
  CHECK_EQ(f.buddy.take(Order(0), kM).value(), 1040U);
  CHECK_EQ(f.buddy.take(Order(0), kM).value(), 1024U);
  CHECK_EQ(f.buddy.take(Order(0), kM).value(), 1060U);
}

QUARRY_TEST(Buddy, a_block_that_will_soon_merge_goes_to_the_tail) {
  Frames f;
  f.buddy.free(Pfn(1024), Order(0), kM);
  f.buddy.free(Pfn(1042), Order(1), kM);
  // 1040 and 1041 would make a block whose buddy, 1042-1043, is free.
  f.buddy.free(Pfn(1040), Order(0), kM);
  CHECK_EQ(f.buddy.list(Order(0), kM).first.value(), 1024U);
  CHECK_EQ(f.buddy.list(Order(0), kM).last.value(), 1040U);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, a_run_is_what_single_allocations_would_have_taken) {
  for (uint32_t count = 1; count <= 70; ++count) {
    Frames runs;
    Frames singles;
    for (Frames* f : {&runs, &singles}) {
      f->buddy.free_range(Pfn(1030), Pfn(1100));
      f->buddy.free_range(Pfn(2048), Pfn(3072));
    }
    uint32_t left = count;
    while (left != 0) {
      const BlockRun run = runs.buddy.take_run(Order(0), kM, left);
      REQUIRE(run.count != 0);
      for (uint32_t i = 0; i != run.count; ++i) {
        CHECK(singles.buddy.take(Order(0), kM) == run.first + i);
      }
      left -= run.count;
    }
    CHECK(runs.sound());
    for (unsigned order = 0; order <= 10; ++order) {
      CHECK_EQ(runs.blocks(order, kM), singles.blocks(order, kM));
      CHECK(runs.buddy.list(Order(order), kM).first == singles.buddy.list(Order(order), kM).first);
    }
  }
}

QUARRY_TEST(Buddy, pageblocks_of_special_types_do_not_merge_with_others) {
  Frames f;
  f.buddy.set_pageblock_type(Pfn(3 * kPageblockPages), kH);
  f.buddy.free(Pfn(2 * kPageblockPages), Order(kPageblockOrder), kM);
  f.buddy.free(Pfn(3 * kPageblockPages), Order(kPageblockOrder), kH);
  CHECK_EQ(f.blocks(kPageblockOrder, kM), 1U);
  CHECK_EQ(f.blocks(kPageblockOrder, kH), 1U);
  CHECK_EQ(f.counters.nonempty.load(), 1U << kPageblockOrder);
  CHECK_EQ(f.counters.nonempty_highatomic.load(), 1U << kPageblockOrder);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, pageblocks_of_the_types_that_requests_name_merge) {
  Frames f;
  f.buddy.set_pageblock_type(Pfn(3 * kPageblockPages), kU);
  f.buddy.free(Pfn(2 * kPageblockPages), Order(kPageblockOrder), kM);
  f.buddy.free(Pfn(3 * kPageblockPages), Order(kPageblockOrder), kU);
  // Unless one pageblock is the largest block already.
  const bool merged = kPageblockOrder < kMaxOrder.value();
  CHECK_EQ(f.blocks(10, kU), 1U);
  CHECK_EQ(f.blocks(kPageblockOrder, kM), merged ? 0U : 1U);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, zones_do_not_merge) {
  // The zone begins with the second pageblock, whose buddy is the first.
  Frames f(kPageblockPages, 4096);
  f.page[0].flags = QUARRY_PAGE_BUDDY;
  f.page[0].order = kPageblockOrder;
  f.buddy.free(Pfn(kPageblockPages), Order(kPageblockOrder), kM);
  CHECK_EQ(f.blocks(kPageblockOrder, kM), 1U);
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, descriptors_inside_a_block_stay_untouched) {
  Frames f;
  for (uint32_t i = 1; i != 1024; ++i) f.page[1024 + i].index = 0xabc;
  f.buddy.free_range(Pfn(1024), Pfn(2048));
  const Pfn block = f.buddy.take(kMaxOrder, kM);
  f.buddy.free(block, kMaxOrder, kM);
  for (uint32_t i = 1; i != 1024; ++i) CHECK_EQ(f.page[1024 + i].index, 0xabcU);
}

QUARRY_TEST(Buddy, a_pageblocks_free_blocks_move_to_another_list) {
  Frames f;
  f.buddy.free_range(Pfn(512), Pfn(1024));
  f.buddy.take(Order(0), kM);
  CHECK_EQ(f.buddy.move_pageblock(Pfn(700), kU), 511U);
  f.buddy.set_pageblock_type(Pfn(700), kU);
  for (unsigned order = 0; order <= 8; ++order) {
    CHECK_EQ(f.blocks(order, kM), 0U);
    CHECK_EQ(f.blocks(order, kU), 1U);
  }
  CHECK(f.sound());
}

QUARRY_TEST(Buddy, validate_finds_what_is_broken) {
  FixedText<512> text;
  {
    Frames f;
    f.buddy.free_range(Pfn(1024), Pfn(1040));
    f.page[1024]._refcount = 1;
    CHECK(!f.buddy.validate(&text));
    CHECK_TEXT(text.c_str(), "free block at pfn 0x400 of order 4 in list Movable has references\n");
  }
  {
    Frames f;
    f.buddy.free_range(Pfn(1024), Pfn(1040));
    f.page[1030].flags = QUARRY_PAGE_HEAD;
    text.clear();
    CHECK(!f.buddy.validate(&text));
    CHECK_TEXT(text.c_str(),
               "free block at pfn 0x400 of order 4 in list Movable has a page inside that is in "
               "use\n");
  }
  {
    Frames f;
    f.buddy.free(Pfn(1024), Order(0), kM);
    f.page[1024].order = 1;
    CHECK(!f.buddy.validate(nullptr));
  }
  {
    Frames f;
    f.buddy.free(Pfn(1024), Order(0), kM);
    f.counters.free_pages.store(2);
    text.clear();
    CHECK(!f.buddy.validate(&text));
    CHECK_TEXT(text.c_str(), "free lists hold 1 pages, free_pages is 2\n");
  }
  {
    Frames f;
    f.buddy.free(Pfn(1024), Order(0), kM);
    f.counters.nonempty.store(0);
    CHECK(!f.buddy.validate(nullptr));
  }
  {
    Frames f;
    f.buddy.free(Pfn(1024), Order(0), kM);
    f.buddy.set_pageblock_type(Pfn(1024), kH);
    CHECK(!f.buddy.validate(nullptr));
  }
}

}  // namespace
}  // namespace quarry
