// SPDX-License-Identifier: MIT
#include "kmem/slob/slob_blocks.h"

#include "harness.h"

namespace {

using quarry::kSlobUnits;
using quarry::SlobBlocks;
using quarry::SlobFree;

struct TestPage {
  alignas(quarry::kPageBytes) int16_t unit[kSlobUnits] = {};
  SlobFree free{};
  SlobBlocks blocks{unit, free};

  TestPage() { blocks.init(); }

  unsigned take(unsigned units) { return blocks.take({units, 1, 0}); }

  // Whether the free blocks are these pairs of begin and length.
  void expect(std::initializer_list<std::pair<unsigned, unsigned>> wanted) {
    const auto* next = wanted.begin();
    unsigned units = 0;
    CHECK(blocks.for_each([&](unsigned at, unsigned length) {
      units += length;
      CHECK(length <= free.bound);
      if (!CHECK(next != wanted.end())) return;
      CHECK_EQ(at, next->first);
      CHECK_EQ(length, next->second);
      ++next;
    }));
    CHECK(next == wanted.end());
    CHECK_EQ(free.units, units);
    CHECK(free.bound <= free.units);
  }
};

QUARRY_TEST(SlobBlocks, new_page_is_one_block_that_ends_at_its_end) {
  TestPage page;
  page.expect({{0, kSlobUnits}});
  CHECK_EQ(page.unit[0], 2048);
  CHECK_EQ(page.unit[1], 2048);
}

QUARRY_TEST(SlobBlocks, blocks_are_taken_from_the_front_of_the_first_that_fits) {
  TestPage page;
  CHECK_EQ(page.take(10), 0U);
  CHECK_EQ(page.take(20), 10U);
  CHECK_EQ(page.take(30), 30U);
  CHECK(page.blocks.put(10, 20));
  CHECK_EQ(page.take(21), 60U);  // too long for the hole
  CHECK_EQ(page.take(5), 10U);
  CHECK_EQ(page.take(15), 15U);  // the rest of it, exactly
  page.expect({{81, kSlobUnits - 81}});
}

QUARRY_TEST(SlobBlocks, block_of_one_unit_holds_its_negated_link) {
  TestPage page;
  CHECK_EQ(page.take(1), 0U);
  CHECK_EQ(page.take(1), 1U);
  CHECK_EQ(page.take(3), 2U);
  CHECK(page.blocks.put(1, 1));
  CHECK_EQ(page.unit[1], -5);  // the next free block begins at unit 5
  CHECK(page.blocks.put(2, 2));
  // One block with it, and the header took the place of the two.
  CHECK_EQ(page.unit[1], 3);
  CHECK_EQ(page.unit[2], 5);
  page.expect({{1, 3}, {5, kSlobUnits - 5}});
}

QUARRY_TEST(SlobBlocks, single_last_unit_links_to_the_end) {
  TestPage page;
  CHECK_EQ(page.take(kSlobUnits - 1), 0U);
  CHECK_EQ(page.unit[kSlobUnits - 1], -2048);
  page.expect({{kSlobUnits - 1, 1}});
  CHECK_EQ(page.take(2), SlobBlocks::kNone);
  CHECK_EQ(page.free.bound, 1U);
  CHECK_EQ(page.take(1), kSlobUnits - 1);
  page.expect({});
  CHECK_EQ(page.free.first, kSlobUnits);
  CHECK_EQ(page.take(1), SlobBlocks::kNone);
}

QUARRY_TEST(SlobBlocks, block_joins_both_neighbours) {
  TestPage page;
  for (unsigned i = 0; i != 4; ++i) page.take(8);
  CHECK(page.blocks.put(0, 8));
  CHECK(page.blocks.put(16, 8));
  page.expect({{0, 8}, {16, 8}, {32, kSlobUnits - 32}});
  CHECK(page.blocks.put(8, 8));
  page.expect({{0, 24}, {32, kSlobUnits - 32}});
  CHECK(page.blocks.put(24, 8));
  page.expect({{0, kSlobUnits}});
}

QUARRY_TEST(SlobBlocks, full_page_gets_its_only_block) {
  TestPage page;
  CHECK_EQ(page.take(kSlobUnits), 0U);
  page.expect({});
  page.blocks.make_only(100, 7);
  page.expect({{100, 7}});
  CHECK_EQ(page.unit[100], 7);
  CHECK_EQ(page.unit[101], 2048);
}

QUARRY_TEST(SlobBlocks, alignment_leaves_a_free_block_in_front) {
  TestPage page;
  // kmalloc(64): a header of 4 units, and what follows it aligned to 32 units.
  CHECK_EQ(page.blocks.take({36, 32, 4}), 28U);
  page.expect({{0, 28}, {64, kSlobUnits - 64}});
  CHECK_EQ(page.unit[0], 28);
  CHECK_EQ(page.unit[1], 64);
  CHECK_EQ(page.blocks.take({36, 32, 4}), 92U);
  page.expect({{0, 28}, {64, 28}, {128, kSlobUnits - 128}});
  // A fragment in front that is all of the block's rest.
  CHECK_EQ(page.blocks.take({24, 4, 0}), 0U);
  CHECK_EQ(page.blocks.take({4, 4, 0}), 24U);
  page.expect({{64, 28}, {128, kSlobUnits - 128}});
}

QUARRY_TEST(SlobBlocks, long_enough_block_may_be_too_short_with_its_lead) {
  TestPage page;
  CHECK_EQ(page.take(2), 0U);
  CHECK_EQ(page.take(kSlobUnits - 40), 2U);
  page.expect({{kSlobUnits - 38, 38}});
  CHECK_EQ(page.blocks.take({36, 32, 0}), SlobBlocks::kNone);  // from 2016 on there are 32
  CHECK_EQ(page.free.bound, 38U);
  CHECK_EQ(page.take(38), kSlobUnits - 38);
}

QUARRY_TEST(SlobBlocks, failed_search_learns_the_longest_block) {
  TestPage page;
  for (unsigned i = 0; i != 16; ++i) page.take(128);
  CHECK(page.blocks.put(128, 128));
  CHECK(page.blocks.put(512, 128));
  CHECK_EQ(page.free.bound, 128U);
  CHECK_EQ(page.take(100), 128U);
  CHECK_EQ(page.take(100), 512U);
  CHECK_EQ(page.free.bound, 56U);  // never more than is free in all
  CHECK_EQ(page.take(50), SlobBlocks::kNone);
  CHECK_EQ(page.free.bound, 28U);
  CHECK(page.blocks.put(228 - 50, 50));
  CHECK_EQ(page.free.bound, 78U);
}

QUARRY_TEST(SlobBlocks, what_is_free_is_not_taken_back) {
  TestPage page;
  for (unsigned i = 0; i != 4; ++i) page.take(10);
  CHECK(page.blocks.put(10, 10));
  CHECK(!page.blocks.put(10, 10));  // the block itself
  CHECK(!page.blocks.put(12, 4));   // inside of it
  CHECK(!page.blocks.put(5, 10));   // into it
  CHECK(!page.blocks.put(15, 10));  // out of it
  CHECK(!page.blocks.put(36, 10));  // into the rest of the page
  CHECK(!page.blocks.put(5, 40));   // around it
  page.expect({{10, 10}, {40, kSlobUnits - 40}});
}

QUARRY_TEST(SlobBlocks, broken_chains_are_noticed) {
  const auto ignore = [](unsigned, unsigned) {};
  for (const int16_t link : {int16_t{4}, int16_t{2049}, int16_t{-3}, int16_t{7}, int16_t{8}}) {
    TestPage page;
    page.take(8);
    CHECK(page.blocks.put(0, 8) || page.free.units == kSlobUnits);
    page.take(8);
    page.take(8);
    CHECK(page.blocks.put(0, 8));
    CHECK(page.blocks.for_each(ignore));
    page.unit[1] = link;
    CHECK(!page.blocks.for_each(ignore));
  }
}

}  // namespace
