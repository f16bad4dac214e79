// SPDX-License-Identifier: MIT
// What stops the machine.
#include <gtest/gtest.h>

#include "quarry/hosted_platform.h"
#include "quarry/memory_system.h"

namespace quarry {
namespace {

TEST(CacheDeathTest, APanickingCacheThatCannotBeMade) {
  HostedPlatform platform;  // its log is standard error
  ASSERT_TRUE(platform.open({.ram_bytes = 64 * kMiB, .cpus = 1, .simulated = true}));
  MemorySystem system;
  ASSERT_TRUE(system.boot(platform, Config()));
  const CacheOptions vital{.flags = QUARRY_SLAB_PANIC};
  EXPECT_DEATH(static_cast<void>(system.cache_create("vital", 0, vital)),
               "kmem_cache_create\\(vital\\) failed");
  KmemCache* cache = system.cache_create("vital", 8, vital);
  ASSERT_NE(cache, nullptr);
  system.cache_destroy(cache);
  EXPECT_EQ(system.shutdown(), 0U);
}

}  // namespace
}  // namespace quarry
