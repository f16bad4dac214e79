// SPDX-License-Identifier: MIT
// Random operations on an augmented tree against a table indexed by key.
#include "base/random.h"
#include "base/rbtree.h"
#include "harness.h"

namespace {

using quarry::Random;
using quarry::RbNode;
using quarry::RbTree;

constexpr int kKeys = 1024;
constexpr unsigned kOperations = 1'000'000;

struct Range {
  int key = 0;
  uint32_t size = 0;
  uint32_t largest = 0;  // of the subtree
  uint32_t ranges = 0;   // in the subtree
  RbNode node;
};

struct BySummary {
  static bool less(const Range& a, const Range& b) { return a.key < b.key; }
  static bool recompute(Range& range, const Range* left, const Range* right) {
    uint32_t largest = range.size;
    uint32_t ranges = 1;
    for (const Range* child : {left, right}) {
      if (child != nullptr) {
        largest = child->largest > largest ? child->largest : largest;
        ranges += child->ranges;
      }
    }
    const bool changed = largest != range.largest || ranges != range.ranges;
    range.largest = largest;
    range.ranges = ranges;
    return changed;
  }
};
using Ranges = RbTree<Range, &Range::node, BySummary>;

// The naive side: which keys are present, in a table.
struct Table {
  bool present[kKeys] = {};
  int count = 0;

  // The nearest present key from `key` on in steps of `step`; -1 for none.
  [[nodiscard]] int nearest(int key, int step) const {
    while (key >= 0 && key < kKeys && !present[key]) {
      key += step;
    }
    return key >= 0 && key < kKeys ? key : -1;
  }
};

int key_of(const Range* range) { return range != nullptr ? range->key : -1; }

uint32_t largest_of(const Table& table, const Range (&ranges)[kKeys]) {
  uint32_t largest = 0;
  for (int key = 0; key < kKeys; ++key) {
    largest = table.present[key] && ranges[key].size > largest ? ranges[key].size : largest;
  }
  return largest;
}

// The first range in order of at least `size`, found as an allocator finds one.
const Range* first_fit(const Ranges& tree, uint32_t size) {
  const Range* range = tree.root();
  while (range != nullptr && range->largest >= size) {
    const Range* const left = tree.left(*range);
    if (left != nullptr && left->largest >= size) {
      range = left;
    } else if (range->size >= size) {
      return range;
    } else {
      range = tree.right(*range);
    }
  }
  return nullptr;
}

int first_fit(const Table& table, const Range (&ranges)[kKeys], uint32_t size) {
  int key = table.nearest(0, 1);
  while (key >= 0 && ranges[key].size < size) {
    key = table.nearest(key + 1, 1);
  }
  return key;
}

void compare_all(const Ranges& tree, const Table& table, const Range (&ranges)[kKeys]) {
  REQUIRE(tree.validate());
  int key = table.nearest(0, 1);
  for (const Range* range = tree.first(); range != nullptr; range = tree.next(*range)) {
    REQUIRE_EQ(range->key, key);
    key = table.nearest(key + 1, 1);
  }
  REQUIRE_EQ(key, -1);
  if (!tree.empty()) {
    REQUIRE_EQ(tree.root()->ranges, table.count);
    REQUIRE_EQ(tree.root()->largest, largest_of(table, ranges));
  }
}

void compare_at(const Ranges& tree, const Table& table, const Range (&ranges)[kKeys], int key,
                uint32_t size) {
  const auto at_or_after = [key](const Range& range) { return range.key >= key; };
  REQUIRE_EQ(key_of(tree.first_where(at_or_after)), table.nearest(key, 1));
  REQUIRE_EQ(key_of(first_fit(tree, size)), first_fit(table, ranges, size));
  if (table.present[key]) {
    REQUIRE_EQ(key_of(tree.next(ranges[key])), table.nearest(key + 1, 1));
    REQUIRE_EQ(key_of(tree.prev(ranges[key])), table.nearest(key - 1, -1));
  }
}

QUARRY_TEST(RbTreeModel, a_million_operations) {
  static Range ranges[kKeys];
  static Table table;
  Random random(harness::seed());
  Ranges tree;
  // The number of keys in use wanders, so that the tree is small and large by turns.
  uint32_t used_keys = kKeys;
  const unsigned operations = harness::operations(kOperations);
  for (unsigned operation = 0; operation != operations && harness::run.failures == 0; ++operation) {
    if (operation % 10'000 == 0) {
      compare_all(tree, table, ranges);
      used_keys = uint32_t{1} << random.between(1, 10);
    }
    const auto key = static_cast<int>(random.below(used_keys));
    Range& range = ranges[key];
    range.key = key;
    if (!table.present[key]) {
      range.size = random.below(1000);
      tree.insert(range);
      table.present[key] = true;
      ++table.count;
    } else if (random.one_in(4)) {
      range.size = random.below(1000);
      tree.update(range);
    } else {
      tree.erase(range);
      table.present[key] = false;
      --table.count;
    }
    if (random.one_in(16)) {
      compare_at(tree, table, ranges, static_cast<int>(random.below(kKeys)), random.below(1000));
    }
  }
  compare_all(tree, table, ranges);
  while (!tree.empty()) {
    tree.erase(*tree.root());
  }
}

}  // namespace
