// SPDX-License-Identifier: MIT
// The kernel's C API from C++, beside the library's own and the standard library.
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
// After them, so that no macro of theirs can do harm.
#include <gtest/gtest.h>
#include <quarry/memory_system.h>

#include <algorithm>
#include <barrier>
#include <numeric>
#include <vector>

namespace {

TEST(CxxFacade, objects) {
  void* const constant = kmalloc(100, GFP_KERNEL);
  std::size_t bytes = 1000;
  void* const variable = kzalloc(bytes, GFP_ATOMIC);
  EXPECT_EQ(ksize(constant), 128U);
  EXPECT_EQ(ksize(variable), 1024U);
  EXPECT_EQ(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
  kfree(variable);
  kfree(constant);
}

struct Entry {
  int number;
  list_head link;
};

TEST(CxxFacade, lists) {
  LIST_HEAD(head);
  Entry entries[3] = {{1, {}}, {2, {}}, {3, {}}};
  for (Entry& entry : entries) list_add_tail(&entry.link, &head);
  int sum = 0;
  Entry* at;
  list_for_each_entry(at, &head, link) sum = sum * 10 + at->number;
  EXPECT_EQ(sum, 123);
}

TEST(CxxFacade, pages) {
  page* const first = alloc_pages(GFP_KERNEL, 1);
  ASSERT_NE(first, nullptr);
  set_page_private(first, 5);
  EXPECT_EQ(first->private_, 5U);
  void* const memory = page_address(first);
  EXPECT_EQ(virt_to_page(memory), first);
  EXPECT_EQ(virt_to_page(reinterpret_cast<unsigned long>(memory)), first);
  EXPECT_TRUE(virt_addr_valid(memory));
  __free_pages(first, 1);
}

TEST(CxxFacade, arithmetic) {
  static_assert(min(3, 5) == 3 && max(2, 7) == 7 && clamp(9, 0, 5) == 5);
  static_assert(round_up(17, 8) == 24 && ilog2(4096) == 12 && DIV_ROUND_UP(10, 4) == 3);
  int numbers[4] = {};
  static_assert(ARRAY_SIZE(numbers) == 4);
  EXPECT_EQ(min_t(unsigned, 4, 5), 4U);
  EXPECT_EQ(std::min(1, 2) + std::max(1, 2), 3);
  EXPECT_EQ(quarry::round_up(5U, 4U), 8U);
}

TEST(CxxFacade, locks) {
  spinlock_t lock;
  unsigned long flags;
  spin_lock_init(&lock);
  spin_lock_irqsave(&lock, flags);
  EXPECT_TRUE(in_atomic() && irqs_disabled());
  spin_unlock_irqrestore(&lock, flags);
}

}  // namespace
