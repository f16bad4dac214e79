// SPDX-License-Identifier: MIT
// What the kernel's command line made of the machine.
#include "harness.h"
#include "kernel.h"
#include "x86/smp.h"

namespace {

using namespace quarry;

QUARRY_TEST(Options, make_the_machine) {
  CHECK_EQ(machine.cpu_count, boot::number("options.cpus", 0));
  CHECK_EQ(boot::system().node_count(), boot::number("options.nodes", 0));
  CHECK_EQ(boot::core().pages.zones().back().end, Pfn{0});  // no zone Movable
  Pfn end{0};
  for (const Zone& zone : boot::core().pages.zones()) end = std::max(end, zone.end);
  CHECK_EQ(uint64_t{end.value()} << kPageShift, boot::number("options.mib", 0) * kMiB);
}

// slab_engine=slab mem above 32M numa=fake=2 nr_cpus=2 slab_max_order=0 noaliencache slab_nomerge
// init_on_alloc=1
QUARRY_TEST(SlabOptions, choose_and_bound_slab) {
  const boot::Balanced balanced;
  CHECK(boot::system().slab_engine() == SlabEngineKind::kSlab);
  KmemCache* const cache = boot::system().cache_create("of_700", 700);
  KmemCache* const equal = boot::system().cache_create("equal", 700);
  REQUIRE(cache != nullptr && equal != nullptr);
  CHECK(cache != equal);
  const CacheInfo info = MemorySystem::cache_info(*cache);
  CHECK_EQ(info.objects_per_slab, 5U);
  CHECK_EQ(info.pages_per_slab, 1U);
  void* far[12];
  for (void*& object : far)
    object = boot::system().cache_alloc_node(cache, gfp::kKernel, NodeId{1});
  for (void* object : far) boot::system().cache_free(cache, object);
  CHECK_EQ(boot::core().kmem.counts(*cache).alien_objects, 0U);
  boot::system().cache_destroy(cache);
  boot::system().cache_destroy(equal);
}

QUARRY_TEST(SlabOptions, zero_what_is_given_out) {
  const boot::Balanced balanced;
  for (int round = 0; round != 2; ++round) {
    auto* const object = static_cast<unsigned char*>(boot::system().kmalloc(200, gfp::kKernel));
    REQUIRE(object != nullptr);
    for (size_t i = 0; i != 200; ++i) CHECK_EQ(object[i], 0);
    __builtin_memset(object, 0xdd, 200);
    boot::system().kfree(object);
  }
}

// slub_min_order=1 slub_max_order=1 slub_min_objects=2 slub_nomerge init_on_free=1
// quarry.slub_hardened=Y quarry.slub_random=Y
QUARRY_TEST(SlubOptions, bound_and_harden_slub) {
  const boot::Balanced balanced;
  CHECK(boot::system().slab_engine() == SlabEngineKind::kSlub);
  KmemCache* const cache = boot::system().cache_create("of_64", 64);
  KmemCache* const equal = boot::system().cache_create("equal", 64);
  REQUIRE(cache != nullptr && equal != nullptr);
  CHECK(cache != equal);
  CHECK_EQ(MemorySystem::cache_info(*cache).pages_per_slab, 2U);
  CHECK(cache->link_secret != 0);
  unsigned char* objects[128];
  unsigned in_order = 0;
  for (unsigned i = 0; i != 128; ++i) {
    objects[i] = static_cast<unsigned char*>(boot::system().cache_alloc(cache, gfp::kKernel));
    in_order += i != 0 && objects[i] == objects[i - 1] + 64 ? 1 : 0;
    __builtin_memset(objects[i], 0xdd, 64);
  }
  CHECK(in_order < 64);
  for (unsigned char* object : objects) {
    boot::system().cache_free(cache, object);
    CHECK(object[0] == 0 && object[63] == 0);
  }
  boot::system().cache_destroy(cache);
  boot::system().cache_destroy(equal);
}

QUARRY_TEST(Options, inject_faults) {
  void* const first = boot::system().kmalloc(100, gfp::kKernel);
  void* const second = boot::system().kmalloc(100, gfp::kKernel);
  CHECK(first == nullptr);
  CHECK(second != nullptr);
  boot::system().kfree(second);
}

}  // namespace
