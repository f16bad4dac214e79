// SPDX-License-Identifier: MIT
#include "vmalloc/range_tree.h"

#include "harness.h"

namespace {

using quarry::AddressRange;
using quarry::RangeTree;

constexpr size_t kPage = 4096;
constexpr uintptr_t kStart = 0x10003000;

AddressRange range(size_t first_page, size_t pages) {
  return {.start = kStart + first_page * kPage, .bytes = pages * kPage};
}

size_t page_of(const RangeTree::Taken& taken) { return (taken.start - kStart) / kPage; }

QUARRY_TEST(RangeTree, takes_the_lowest_range_that_fits) {
  RangeTree tree;
  AddressRange small = range(0, 2);
  AddressRange large = range(10, 8);
  AddressRange higher = range(30, 3);
  tree.give(small);
  tree.give(higher);
  tree.give(large);
  CHECK(tree.validate());
  CHECK_EQ(tree.free_bytes(), 13 * kPage);

  CHECK_EQ(page_of(tree.take(3 * kPage, kPage, nullptr)), 10U);
  CHECK_EQ(page_of(tree.take(kPage, kPage, nullptr)), 0U);
  CHECK_EQ(page_of(tree.take(5 * kPage, kPage, nullptr)), 13U);
  CHECK_EQ(page_of(tree.take(3 * kPage, kPage, nullptr)), 30U);
  CHECK(!tree.take(2 * kPage, kPage, nullptr).found);
  const RangeTree::Taken last = tree.take(kPage, kPage, nullptr);
  CHECK_EQ(page_of(last), 1U);
  CHECK(last.unused.node[0] == &small && last.unused.node[1] == nullptr);
  CHECK(tree.first() == nullptr);
  CHECK_EQ(tree.free_bytes(), 0U);
}

QUARRY_TEST(RangeTree, gives_the_spare_node_back_or_uses_it) {
  RangeTree tree;
  AddressRange all = range(0, 64);
  AddressRange spare;
  tree.give(all);
  // The first multiple of 64 KiB behind 0x10003000 is 13 pages away.
  const RangeTree::Taken middle = tree.take(4 * kPage, 16 * kPage, &spare);
  CHECK_EQ(page_of(middle), 13U);
  CHECK(middle.unused.node[0] == nullptr);
  CHECK(tree.first() == &all && tree.next(all) == &spare);
  CHECK(tree.validate());

  AddressRange other;
  const RangeTree::Taken edge = tree.take(47 * kPage, kPage, &other);
  CHECK_EQ(page_of(edge), 17U);
  CHECK(edge.unused.node[0] == &spare && edge.unused.node[1] == &other);
  CHECK_EQ(tree.free_bytes(), 13 * kPage);
}

QUARRY_TEST(RangeTree, a_range_that_fits_only_unaligned_is_passed_over) {
  RangeTree tree;
  AddressRange near = range(1, 12);   // ends where the alignment begins
  AddressRange exact = range(29, 4);  // begins at the next one
  tree.give(near);
  tree.give(exact);
  CHECK_EQ(page_of(tree.take(4 * kPage, 16 * kPage, nullptr)), 29U);
  CHECK(!tree.take(kPage, 16 * kPage, nullptr).found);
  CHECK(tree.validate());
}

QUARRY_TEST(RangeTree, alignment_does_not_wrap_around_the_address_space) {
  RangeTree tree;
  AddressRange top{.start = ~uintptr_t{0} - 8 * kPage + 1, .bytes = 7 * kPage};
  tree.give(top);
  CHECK(!tree.take(kPage, 64 * kPage, nullptr).found);
  CHECK(tree.take(7 * kPage, kPage, nullptr).found);
}

QUARRY_TEST(RangeTree, merges_with_both_neighbours) {
  RangeTree tree;
  AddressRange a = range(0, 2);
  AddressRange b = range(2, 3);
  AddressRange c = range(5, 4);
  AddressRange d = range(10, 1);
  AddressRange e = range(9, 1);
  tree.give(a);
  tree.give(c);
  CHECK(tree.give(d).node[0] == nullptr);
  RangeTree::Unused unused = tree.give(b);
  CHECK(unused.node[0] == &b && unused.node[1] == &c);
  CHECK_EQ(a.bytes, 9 * kPage);
  unused = tree.give(e);
  CHECK(unused.node[0] == &e && unused.node[1] == &d);
  CHECK_EQ(a.bytes, 11 * kPage);
  CHECK(tree.first() == &a && tree.next(a) == nullptr);
  CHECK(tree.validate());
}

QUARRY_TEST(RangeTree, merges_downward_into_the_range_behind) {
  RangeTree tree;
  AddressRange high = range(7, 1);
  AddressRange low = range(3, 4);
  tree.give(high);
  const RangeTree::Unused unused = tree.give(low);
  CHECK(unused.node[0] == &low && unused.node[1] == nullptr);
  CHECK_EQ(high.start, kStart + 3 * kPage);
  CHECK_EQ(page_of(tree.take(5 * kPage, kPage, nullptr)), 3U);
}

}  // namespace
