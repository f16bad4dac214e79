// SPDX-License-Identifier: MIT
// What stops the machine.
#include <gtest/gtest.h>

#include "machine.h"

namespace {

TEST(CacheDeathTest, APanickingCacheThatCannotBeMade) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  harness::Machine m;
  EXPECT_DEATH(static_cast<void>(m->cache_create("vital", 0, {.flags = QUARRY_SLAB_PANIC})), "");
  quarry::KmemCache* cache = m->cache_create("vital", 8, {.flags = QUARRY_SLAB_PANIC});
  ASSERT_NE(cache, nullptr);
  m->cache_destroy(cache);
}

}  // namespace
