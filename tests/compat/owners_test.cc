// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <quarry/hosted_platform.h>
#include <quarry/owners.h>

#include <cstring>

namespace {

using namespace quarry;

class Owners : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(platform_.open({.ram_bytes = 64 * kMiB})) << platform_.error();
    ASSERT_TRUE(system_.boot(platform_, {}));
  }
  void TearDown() override {
    FixedText<256> broken;
    EXPECT_TRUE(system_.validate(broken)) << broken.c_str();
    EXPECT_EQ(system_.shutdown(), 0U);
  }

  HostedPlatform platform_;
  MemorySystem system_;
};

TEST_F(Owners, give_back_what_they_hold) {
  const KmallocPtr<char> text(system_, system_.kstrdup("text", gfp::kKernel));
  ASSERT_TRUE(text);
  EXPECT_STREQ(text.get(), "text");
  EXPECT_EQ(text[3], 't');
  const VmallocPtr<void> area(system_, system_.vmalloc(kMiB));
  const KvmallocPtr<int> numbers(system_, static_cast<int*>(system_.kvmalloc(40, gfp::kKernel)));
  EXPECT_TRUE(area && numbers);
  *numbers = 7;
  EXPECT_EQ(*numbers, 7);
  const PagePtr page(system_, system_.alloc_pages(gfp::kKernel, Order{3}), {.order = Order{3}});
  EXPECT_EQ(page->_refcount, 1);
}

TEST_F(Owners, free_pages_are_as_many_as_before) {
  system_.drain_all();
  const uint64_t before = system_.free_page_count();
  {
    const PagePtr page(system_, system_.alloc_pages(gfp::kKernel, Order{5}), {.order = Order{5}});
    const VmallocPtr<void> area(system_, system_.vmalloc(100 * kKiB));
    EXPECT_LT(system_.free_page_count(), before - 32);
  }
  system_.drain_all();
  // The slabs of the area's own records may stay.
  EXPECT_GE(system_.free_page_count(), before - 8);
}

TEST_F(Owners, objects_go_before_their_cache) {
  const CachePtr cache(system_, system_.cache_create("owned", 100));
  ASSERT_TRUE(cache);
  const CacheObjectPtr<void> object(system_, system_.cache_alloc(cache.get(), gfp::kKernel),
                                    {.cache = cache.get()});
  EXPECT_TRUE(object);
}

TEST_F(Owners, move_and_let_go) {
  KmallocPtr<void> first(system_, system_.kmalloc(10, gfp::kKernel));
  void* const object = first.get();
  KmallocPtr<void> second(std::move(first));
  EXPECT_EQ(second.get(), object);
  KmallocPtr<void> third;
  third = std::move(second);
  EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third.get(), object);
  void* const mine = third.release();
  EXPECT_FALSE(third);
  system_.kfree(mine);
  third = KmallocPtr<void>(system_, system_.kmalloc(10, gfp::kKernel));
  third.reset();
  EXPECT_FALSE(third);
}

}  // namespace
