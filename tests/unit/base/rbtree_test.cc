// SPDX-License-Identifier: MIT
#include "base/rbtree.h"

#include "harness.h"

namespace {

using quarry::RbNode;
using quarry::RbTree;

struct Item {
  int key = 0;
  int tag = 0;
  RbNode node;
};

struct ByKey {
  static bool less(const Item& a, const Item& b) { return a.key < b.key; }
};
using Items = RbTree<Item, &Item::node, ByKey>;

QUARRY_TEST(RbTree, an_empty_tree_has_no_items) {
  constinit static Items tree;
  CHECK(tree.empty());
  CHECK(tree.first() == nullptr);
  CHECK(tree.last() == nullptr);
  CHECK(tree.root() == nullptr);
  CHECK(tree.first_where([](const Item&) { return true; }) == nullptr);
  CHECK_EQ(tree.count(), 0);
  CHECK(tree.validate());
}

QUARRY_TEST(RbTree, orders_items_and_finds_them) {
  constexpr int kKeys[] = {50, 20, 80, 10, 30, 70, 90, 60};
  constexpr int kSorted[] = {10, 20, 30, 50, 60, 70, 80, 90};
  Item items[8];
  Items tree;
  for (int i = 0; i < 8; ++i) {
    items[i].key = kKeys[i];
    tree.insert(items[i]);
    REQUIRE(tree.validate());
  }
  const Item* item = tree.first();
  for (const int key : kSorted) {
    REQUIRE(item != nullptr);
    CHECK_EQ(item->key, key);
    item = tree.next(*item);
  }
  CHECK(item == nullptr);
  CHECK_EQ(tree.last()->key, 90);
  CHECK_EQ(tree.prev(*tree.last())->key, 80);
  CHECK(tree.prev(*tree.first()) == nullptr);
  const auto at_or_after = [](int key) {
    return [key](const Item& seen) { return seen.key >= key; };
  };
  CHECK_EQ(tree.first_where(at_or_after(0))->key, 10);
  CHECK_EQ(tree.first_where(at_or_after(55))->key, 60);
  CHECK_EQ(tree.first_where(at_or_after(90))->key, 90);
  CHECK(tree.first_where(at_or_after(91)) == nullptr);
}

QUARRY_TEST(RbTree, equal_items_stay_in_the_order_they_came) {
  Item items[20];
  Items tree;
  for (int i = 0; i < 20; ++i) {
    items[i].key = i % 2;
    items[i].tag = i;
    tree.insert(items[i]);
  }
  CHECK(tree.validate());
  int tag = 0;
  for (const Item* item = tree.first(); item != nullptr; item = tree.next(*item)) {
    CHECK_EQ(item->tag, tag);
    tag = tag == 18 ? 1 : tag + 2;
  }
}

// Every order of insertion and every order of removal of a few items.
QUARRY_TEST(RbTree, every_order_of_five_items) {
  constexpr int kItems = 5;
  constexpr int kOrders = 5 * 5 * 5 * 5 * 5;
  for (int in = 0; in < kOrders; ++in) {
    Item items[kItems];
    Items tree;
    for (int i = 0, rest = in; i < kItems; ++i, rest /= kItems) {
      items[i].key = rest % kItems;
      tree.insert(items[i]);
    }
    REQUIRE(tree.validate());
    for (int i = 0, start = in % kItems; i < kItems; ++i) {
      Item& item = items[(start + i * (1 + in % 4)) % kItems];
      REQUIRE(item.node.is_linked());
      tree.erase(item);
      REQUIRE(!item.node.is_linked());
      REQUIRE(tree.validate());
    }
    REQUIRE(tree.empty());
  }
}

QUARRY_TEST(RbTree, validate_sees_what_is_broken) {
  Item items[10];
  Items tree;
  for (int i = 0; i < 10; ++i) {
    items[i].key = i;
    tree.insert(items[i]);
  }
  REQUIRE(tree.validate());
  for (Item& item : items) {
    const int key = item.key;
    item.key = key < 5 ? 1000 : -1000;
    CHECK(!tree.validate());
    item.key = key;
    // A node's first word is its parent and colour, the other two are its children.
    for (size_t word = 0; word < 3; ++word) {
      uintptr_t saved = 0;
      auto* const at = reinterpret_cast<unsigned char*>(&item.node) + word * sizeof(uintptr_t);
      __builtin_memcpy(&saved, at, sizeof(saved));
      const uintptr_t broken = word == 0 ? saved ^ 1 : reinterpret_cast<uintptr_t>(&item.node);
      __builtin_memcpy(at, &broken, sizeof(broken));
      CHECK(!tree.validate());
      __builtin_memcpy(at, &saved, sizeof(saved));
    }
  }
  CHECK(tree.validate());
}

}  // namespace
