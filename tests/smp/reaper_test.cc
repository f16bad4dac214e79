// SPDX-License-Identifier: MIT
// SLAB's timed reaper, by the platform's own thread.
#include <unistd.h>

#include "machine.h"

namespace {

using quarry::KmemCache;
using quarry::MemorySystem;
namespace gfp = quarry::gfp;

// Two seconds until the array is found idle, two more until it loses something.
QUARRY_TEST(Reaper, shrinks_idle_caches_while_nobody_asks) {
  quarry::HostedPlatform platform;
  MemorySystem system;
  static harness::Log log;
  REQUIRE(platform.open(
      {.ram_bytes = 64 * quarry::kMiB, .log = harness::Log::write, .log_context = &log}));
  REQUIRE(system.boot(platform, {.engine = quarry::SlabEngineKind::kSlab}));
  KmemCache* cache = system.cache_create("idle", 64);
  REQUIRE(cache != nullptr);
  void* objects[100];
  for (void*& object : objects) object = system.cache_alloc(cache, gfp::kKernel);
  for (void* object : objects) system.cache_free(cache, object);
  const auto kept = [&] { return MemorySystem::cache_info(*cache).cached_objects; };
  const uint64_t before = kept();
  CHECK(before != 0);
  for (int i = 0; i != 300 && kept() == before; ++i) usleep(100'000);
  CHECK(kept() < before);
  system.cache_destroy(cache);
  CHECK_EQ(system.shutdown(), 0U);
  CHECK(log.empty());
}

}  // namespace
