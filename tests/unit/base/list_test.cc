// SPDX-License-Identifier: MIT
#include "base/list.h"

#include "base/random.h"
#include "harness.h"

namespace {

using quarry::List;
using quarry::ListNode;
using quarry::Random;

struct Item {
  explicit Item(int its_id = 0) : id(its_id) {}
  int id;
  ListNode link;
  ListNode other_link;
};
using Items = List<Item, &Item::link>;
using OtherItems = List<Item, &Item::other_link>;

// Whether the list holds exactly these ids, read in both directions.
template <typename L, size_t kCount>
bool holds(const L& list, const int (&ids)[kCount]) {
  size_t n = 0;
  for (const Item& item : list) {
    if (n == kCount || item.id != ids[n++]) return false;
  }
  for (const Item* item = list.back(); item != nullptr; item = list.prev(*item)) {
    if (n == 0 || item->id != ids[--n]) return false;
  }
  return n == 0 && list.count() == kCount && list.validate();
}

QUARRY_TEST(List, an_empty_list_has_no_ends) {
  constinit static Items list;
  CHECK(list.empty());
  CHECK(list.front() == nullptr);
  CHECK(list.back() == nullptr);
  CHECK(list.pop_front() == nullptr);
  CHECK(list.pop_back() == nullptr);
  CHECK_EQ(list.count(), 0);
  CHECK(list.validate());
  CHECK(list.begin() == list.end());
}

QUARRY_TEST(List, keeps_order) {
  Item items[5] = {Item(0), Item(1), Item(2), Item(3), Item(4)};
  Items list;
  list.push_back(items[2]);
  CHECK(holds(list, {2}));
  list.push_front(items[0]);
  CHECK(holds(list, {0, 2}));
  list.insert_before(items[2], items[1]);
  list.insert_after(items[2], items[4]);
  list.insert_before(items[4], items[3]);
  CHECK(holds(list, {0, 1, 2, 3, 4}));
  list.rotate_to_front(items[3]);
  CHECK(holds(list, {3, 4, 0, 1, 2}));
  list.remove(items[3]);
  list.remove(items[2]);
  list.remove(items[0]);
  CHECK(holds(list, {4, 1}));
  list.insert_before(items[4], items[0]);
  CHECK(holds(list, {0, 4, 1}));
  CHECK_EQ(list.pop_back()->id, 1);
  CHECK_EQ(list.pop_front()->id, 0);
  CHECK_EQ(list.pop_front()->id, 4);
  CHECK(list.empty());
  for (const Item& item : items) {
    CHECK(!item.link.is_linked());
  }
}

QUARRY_TEST(List, splices_at_the_end) {
  Item items[4] = {Item(0), Item(1), Item(2), Item(3)};
  Items to;
  Items from;
  to.splice_back(from);
  CHECK(to.empty());
  from.push_back(items[0]);
  from.push_back(items[1]);
  to.splice_back(from);
  CHECK(from.empty());
  CHECK(holds(to, {0, 1}));
  from.push_back(items[2]);
  from.push_back(items[3]);
  to.splice_back(from);
  CHECK(from.empty());
  CHECK(holds(to, {0, 1, 2, 3}));
  to.splice_back(from);
  CHECK(holds(to, {0, 1, 2, 3}));
}

QUARRY_TEST(List, an_item_is_in_one_list_for_each_node) {
  Item items[2] = {Item(7), Item(8)};
  Items list;
  OtherItems others;
  list.push_back(items[0]);
  list.push_back(items[1]);
  others.push_back(items[1]);
  others.push_back(items[0]);
  CHECK(holds(list, {7, 8}));
  CHECK(holds(others, {8, 7}));
  list.remove(items[0]);
  CHECK(items[0].other_link.is_linked());
  CHECK(holds(others, {8, 7}));
}

QUARRY_TEST(List, validate_sees_a_broken_link) {
  Item items[3];
  Items list;
  for (Item& item : items) {
    list.push_back(item);
  }
  REQUIRE(list.validate());
  unsigned char saved[sizeof(ListNode)];
  __builtin_memcpy(saved, &items[1].link, sizeof(saved));
  __builtin_memset(static_cast<void*>(&items[1].link), 0, sizeof(saved));
  CHECK(!list.validate());
  __builtin_memcpy(static_cast<void*>(&items[1].link), &items[2].link, sizeof(saved));
  CHECK(!list.validate());
  __builtin_memcpy(static_cast<void*>(&items[1].link), saved, sizeof(saved));
  CHECK(list.validate());
}

// The list against an array that is shifted by hand.
QUARRY_TEST(List, behaves_like_an_array) {
  constexpr int kItems = 12;
  Random random(harness::seed());
  Item items[kItems];
  Items list;
  int expected[kItems];
  int size = 0;
  for (int i = 0; i < kItems; ++i) {
    items[i].id = i;
  }
  for (int round = 0; round < 50'000; ++round) {
    const auto id = static_cast<int>(random.below(kItems));
    Item& item = items[id];
    int at = 0;
    if (item.link.is_linked()) {
      while (expected[at] != id) {
        ++at;
      }
      list.remove(item);
      --size;
      for (int i = at; i < size; ++i) {
        expected[i] = expected[i + 1];
      }
    } else {
      at = static_cast<int>(random.below(static_cast<uint32_t>(size) + 1));
      if (at == size) {
        list.push_back(item);
      } else if (at == 0) {
        list.push_front(item);
      } else if (random.one_in(2)) {
        list.insert_before(items[expected[at]], item);
      } else {
        list.insert_after(items[expected[at - 1]], item);
      }
      for (int i = size++; i > at; --i) {
        expected[i] = expected[i - 1];
      }
      expected[at] = id;
    }
    REQUIRE(list.validate());
    int n = 0;
    for (const Item& seen : list) {
      REQUIRE(n < size);
      REQUIRE_EQ(seen.id, expected[n++]);
    }
    REQUIRE_EQ(n, size);
  }
}

}  // namespace
