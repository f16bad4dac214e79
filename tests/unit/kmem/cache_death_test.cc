// SPDX-License-Identifier: MIT
// What stops the machine.
#include "quarry/memory_system.h"
#include "support/test_platform.h"

namespace quarry {
namespace {

QUARRY_TEST(CacheDeath, a_panicking_cache_that_cannot_be_made) {
  harness::TestPlatform platform;
  platform.add_memory(0, 64 * kMiB);
  platform.set_vmalloc_bytes(kMiB);
  MemorySystem system;
  REQUIRE(system.boot(platform, Config()));
  const CacheOptions vital{.flags = QUARRY_SLAB_PANIC};
  const char* death =
      platform.death_of([&] { static_cast<void>(system.cache_create("vital", 0, vital)); });
  REQUIRE(death != nullptr);
  CHECK(harness::find_text(death, "Failed to create slab 'vital'. Error -22") != nullptr);
  KmemCache* cache = system.cache_create("vital", 8, vital);
  REQUIRE(cache != nullptr);
  system.cache_destroy(cache);
  CHECK_EQ(system.shutdown(), 0U);
}

}  // namespace
}  // namespace quarry
