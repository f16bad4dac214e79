// SPDX-License-Identifier: MIT
// What stops the process: broken links, which would spread if the structure went on.
#include <gtest/gtest.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "base/units.h"

namespace {

using quarry::List;
using quarry::ListNode;
using quarry::RbNode;
using quarry::RbTree;

struct Item {
  int key = 0;
  ListNode link;
  RbNode node;
};
struct ByKey {
  static bool less(const Item& a, const Item& b) { return a.key < b.key; }
};
using Items = List<Item, &Item::link>;
using Tree = RbTree<Item, &Item::node, ByKey>;

TEST(CheckDeathTest, StopsTheProcess) {
  EXPECT_DEATH(QUARRY_CHECK(1 + 1 == 3), "");
  if (quarry::kDebugBuild) {
    EXPECT_DEATH(QUARRY_ASSERT(1 + 1 == 3), "");
  } else {
    QUARRY_ASSERT(1 + 1 == 3);
  }
}

TEST(ListDeathTest, RemovingWhatIsInNoList) {
  Item item;
  Items list;
  EXPECT_DEATH(list.remove(item), "");
}

TEST(ListDeathTest, RemovingBesideAnOverwrittenLink) {
  Item items[3];
  Items list;
  for (Item& item : items) {
    list.push_back(item);
  }
  __builtin_memset(static_cast<void*>(&items[0].link), 0, sizeof(ListNode));
  EXPECT_DEATH(list.remove(items[1]), "");
}

TEST(RbTreeDeathTest, InsertingTwiceAndErasingTwice) {
  Item item;
  Tree tree;
  tree.insert(item);
  EXPECT_DEATH(tree.insert(item), "");
  tree.erase(item);
  EXPECT_DEATH(tree.erase(item), "");
}

TEST(UnitsDeathTest, AValueThatDoesNotFit) {
  if (quarry::kDebugBuild) {
    volatile uint64_t big = uint64_t{1} << 32;
    EXPECT_DEATH(static_cast<void>(quarry::Pfn{static_cast<uint64_t>(big)}), "");
  }
}

}  // namespace
