// SPDX-License-Identifier: MIT
#include "frame/memblock.h"

#include "base/random.h"
#include "harness.h"

namespace quarry {
namespace {

constexpr NodeId kNode0{0};
constexpr NodeId kNode1{1};
constexpr PhysAddr kTop{uint64_t{1} << 40};

bool is_region(const RegionList& list, unsigned i, uint64_t start, uint64_t end, NodeId node) {
  return i < list.size() && list[i].start == start && list[i].end == end && list[i].node == node;
}

QUARRY_TEST(RegionList, keeps_regions_sorted_and_apart) {
  RegionList list;
  CHECK(list.add(0x5000, 0x6000, kNode0));
  CHECK(list.add(0x1000, 0x2000, kNode0));
  CHECK(list.add(0x3000, 0x4000, kNode0));
  CHECK_EQ(list.size(), 3U);
  CHECK(is_region(list, 0, 0x1000, 0x2000, kNode0));
  CHECK(is_region(list, 1, 0x3000, 0x4000, kNode0));
  CHECK(is_region(list, 2, 0x5000, 0x6000, kNode0));
  CHECK_EQ(list.bytes(), 0x3000U);
}

QUARRY_TEST(RegionList, merges_neighbours_of_one_node_only) {
  RegionList list;
  list.add(0x1000, 0x2000, kNode0);
  list.add(0x3000, 0x4000, kNode0);
  list.add(0x2000, 0x3000, kNode0);
  CHECK_EQ(list.size(), 1U);
  list.add(0x4000, 0x5000, kNode1);
  CHECK_EQ(list.size(), 2U);
  list.add(0x0, 0x1000, kNode0);
  CHECK(is_region(list, 0, 0x0, 0x4000, kNode0));
}

QUARRY_TEST(RegionList, overlap_keeps_the_node_that_was_there) {
  RegionList list;
  list.add(0x2000, 0x3000, kNode1);
  list.add(0x1000, 0x5000, kNode0);
  CHECK_EQ(list.size(), 3U);
  CHECK(is_region(list, 0, 0x1000, 0x2000, kNode0));
  CHECK(is_region(list, 1, 0x2000, 0x3000, kNode1));
  CHECK(is_region(list, 2, 0x3000, 0x5000, kNode0));
  list.add(0x1000, 0x5000, kNode1);
  CHECK_EQ(list.size(), 3U);
}

QUARRY_TEST(RegionList, removing_cuts_and_splits) {
  RegionList list;
  list.add(0x1000, 0x9000, kNode0);
  CHECK(list.remove(0x3000, 0x4000));
  CHECK(is_region(list, 0, 0x1000, 0x3000, kNode0));
  CHECK(is_region(list, 1, 0x4000, 0x9000, kNode0));
  CHECK(list.remove(0x0, 0x2000));
  CHECK(list.remove(0x8000, 0xa000));
  CHECK(is_region(list, 0, 0x2000, 0x3000, kNode0));
  CHECK(is_region(list, 1, 0x4000, 0x8000, kNode0));
  CHECK(list.remove(0x2000, 0x8000));
  CHECK_EQ(list.size(), 0U);
  CHECK(list.remove(0x0, 0x8000));
}

QUARRY_TEST(RegionList, full_changes_nothing) {
  RegionList list;
  for (uint64_t i = 0; i != RegionList::kMaxRegions; ++i) {
    CHECK(list.add(i * 0x2000, i * 0x2000 + 0x1000, kNode0));
  }
  const uint64_t end = RegionList::kMaxRegions * 0x2000;
  CHECK(!list.add(end, end + 0x1000, kNode0));
  CHECK(!list.remove(0x100, 0x200));
  CHECK_EQ(list.size(), RegionList::kMaxRegions);
  CHECK_EQ(list.bytes(), RegionList::kMaxRegions * 0x1000);
}

QUARRY_TEST(RegionList, empty_ranges_are_nothing) {
  RegionList list;
  CHECK(list.add(0x1000, 0x1000, kNode0));
  CHECK(list.remove(0x1000, 0x1000));
  CHECK_EQ(list.size(), 0U);
}

QUARRY_TEST(Memblock, free_is_memory_without_reservations) {
  Memblock blocks;
  blocks.add(PhysAddr(0), 0x10000, kNode0);
  blocks.add(PhysAddr(0x10000), 0x10000, kNode1);
  blocks.reserve(PhysAddr(0), 0x1000);
  blocks.reserve(PhysAddr(0xf000), 0x2000);
  blocks.reserve(PhysAddr(0x30000), 0x1000);
  constexpr MemoryRegion kWanted[] = {{0x1000, 0xf000, kNode0}, {0x11000, 0x20000, kNode1}};
  unsigned count = 0;
  blocks.for_each_free([&](const MemoryRegion& piece) {
    REQUIRE(count < 2);
    CHECK_EQ(piece.start, kWanted[count].start);
    CHECK_EQ(piece.end, kWanted[count].end);
    CHECK_EQ(piece.node, kWanted[count].node);
    ++count;
  });
  CHECK_EQ(count, 2U);
}

QUARRY_TEST(Memblock, releasing_a_reservation_makes_it_free_again) {
  Memblock blocks;
  blocks.add(PhysAddr(0), 0x4000, kNode0);
  blocks.reserve(PhysAddr(0), 0x4000);
  CHECK(blocks.alloc_lowest(0x1000, 0x1000, PhysAddr(0), kTop, kNoNode) == PhysAddr(0));
  blocks.release(PhysAddr(0x1000), 0x1000);
  CHECK(blocks.alloc_lowest(0x1000, 0x1000, PhysAddr(0), kTop, kNoNode) == PhysAddr(0x1000));
  CHECK(blocks.release(PhysAddr(0x9000), 0x1000));
}

QUARRY_TEST(Memblock, allocates_lowest_and_highest) {
  Memblock blocks;
  blocks.add(PhysAddr(0x1000), 0xf000, kNode0);
  blocks.add(PhysAddr(0x20000), 0x10000, kNode1);
  CHECK(blocks.alloc_lowest(0x800, 0x800, PhysAddr(0), kTop, kNoNode) == PhysAddr(0x1000));
  CHECK(blocks.alloc_lowest(0x800, 0x2000, PhysAddr(0), kTop, kNoNode) == PhysAddr(0x2000));
  CHECK(blocks.alloc_lowest(0x800, 8, PhysAddr(0), kTop, kNoNode) == PhysAddr(0x1800));
  CHECK(blocks.alloc_highest(0x800, 0x1000, PhysAddr(0), kTop, kNoNode) == PhysAddr(0x2f000));
  CHECK(blocks.alloc_highest(0x800, 0x800, PhysAddr(0), PhysAddr(0x10000), kNoNode) ==
        PhysAddr(0xf800));
  CHECK(blocks.alloc_lowest(0x1000, 0x1000, PhysAddr(0), kTop, kNode1) == PhysAddr(0x20000));
  CHECK(blocks.alloc_lowest(0x1000, 0x1000, PhysAddr(0x24000), kTop, kNode1) == PhysAddr(0x24000));
  CHECK(blocks.alloc_lowest(0x20000, 8, PhysAddr(0), kTop, kNoNode) == PhysAddr(0));
  CHECK(blocks.alloc_highest(0x20000, 8, PhysAddr(0), kTop, kNoNode) == PhysAddr(0));
}

QUARRY_TEST(Memblock, refuses_what_no_frame_number_can_name) {
  Memblock blocks;
  constexpr uint64_t kLimit = uint64_t{1} << 44;
  CHECK(!blocks.add(PhysAddr(kLimit), 0x1000, kNode0));
  CHECK(!blocks.add(PhysAddr(0x1000), ~uint64_t{0}, kNode0));
  CHECK(blocks.add(PhysAddr(kLimit - 0x1000), 0x1000, kNode0));
}

// Against a map of 4 KiB units.
QUARRY_TEST(Memblock, random_operations_against_a_map) {
  constexpr unsigned kUnits = 256;
  Random random(harness::seed());
  for (int round = 0; round != 200; ++round) {
    Memblock blocks;
    int8_t node[kUnits];
    bool reserved[kUnits] = {};
    for (int8_t& each : node) each = -1;
    for (int step = 0; step != 60; ++step) {
      const uint32_t first = random.below(kUnits);
      const uint32_t count = random.between(1, kUnits - first < 40 ? kUnits - first : 40);
      const PhysAddr start(uint64_t{first} << 12);
      const uint64_t bytes = uint64_t{count} << 12;
      const uint32_t what = random.below(4);
      const NodeId owner(random.below(3));
      if (what == 0) CHECK(blocks.add(start, bytes, owner));
      if (what == 1) CHECK(blocks.reserve(start, bytes));
      if (what == 2) CHECK(blocks.release(start, bytes));
      if (what == 3) CHECK(blocks.remove(start, bytes));
      for (uint32_t i = first; i != first + count; ++i) {
        if (what == 0 && node[i] < 0) node[i] = static_cast<int8_t>(owner.value());
        if (what == 1) reserved[i] = true;
        if (what == 2) reserved[i] = false;
        if (what == 3) node[i] = -1;
      }
    }
    unsigned at = 0;
    MemoryRegion last{0, 0, kNoNode};
    blocks.for_each_free([&](const MemoryRegion& piece) {
      // As large as possible: a neighbour that touches has another node.
      CHECK(piece.start > last.end || piece.node != last.node || last.node == kNoNode);
      last = piece;
      for (; at != piece.start >> 12; ++at) CHECK(node[at] < 0 || reserved[at]);
      for (; at != piece.end >> 12; ++at) CHECK(node[at] == piece.node.value() && !reserved[at]);
    });
    for (; at != kUnits; ++at) CHECK(node[at] < 0 || reserved[at]);
  }
}

}  // namespace
}  // namespace quarry
