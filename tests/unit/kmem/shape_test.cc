// SPDX-License-Identifier: MIT
// The shape of SLUB's slabs: Linux's numbers, for the caches of a real kernel and for machines of 1
// to 64 CPUs (linux-behaviour.md, section 2; Linux 6.1 mm/slub.c's documented arithmetic).
#include "machine.h"
#include "unit/kmem/linux_caches.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

void construct(void*) {}

uint32_t slab_flags(uint8_t flags) {
  return ((flags & linux_caches::kHw) != 0 ? QUARRY_SLAB_HWCACHE_ALIGN : 0) |
         ((flags & linux_caches::kRcu) != 0 ? QUARRY_SLAB_TYPESAFE_BY_RCU : 0);
}

QUARRY_TEST(Shape, is_what_a_linux_kernel_chose_for_its_caches) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlub};
  for (const linux_caches::Row& row : linux_caches::kRows) {
    void (*ctor)(void*) = (row.flags & linux_caches::kCtor) != 0 ? construct : nullptr;
    // Where a flag makes the alignment, it has to come from the flag.
    const uint32_t align = (row.flags & linux_caches::kHw) != 0 ? 0 : row.align;
    KmemCache* cache = m->cache_create(
        "row", row.object_size, {.align = align, .flags = slab_flags(row.flags), .ctor = ctor});
    REQUIRE(cache != nullptr);
    const CacheInfo info = MemorySystem::cache_info(*cache);
    CHECK_EQ(info.object_size, row.object_size);
    CHECK_EQ(info.size, row.slab_size);
    CHECK_EQ(info.objects_per_slab, row.objs_per_slab);
    CHECK_EQ(info.pages_per_slab, 1U << row.order);
    CHECK_EQ(cache->align, row.align);
    m->cache_destroy(cache);
  }
}

struct Golden {
  unsigned cpus;
  uint32_t bytes;
  unsigned order;
  uint32_t objects;
};

constexpr Golden kGolden[] = {
    {1, 8, 0, 512},    {1, 64, 0, 64},   {1, 96, 0, 42},   {1, 192, 0, 21},  {1, 256, 0, 16},
    {1, 512, 0, 8},    {1, 1024, 1, 8},  {1, 2048, 2, 8},  {1, 4096, 3, 8},  {1, 8192, 3, 4},
    {4, 64, 0, 64},    {4, 96, 0, 42},   {4, 128, 0, 32},  {4, 192, 0, 21},  {4, 256, 0, 16},
    {4, 512, 1, 16},   {4, 1024, 2, 16}, {4, 2048, 3, 16}, {4, 4096, 3, 8},  {4, 8192, 3, 4},
    {8, 128, 0, 32},   {8, 192, 0, 21},  {8, 256, 1, 32},  {8, 512, 2, 32},  {8, 1024, 3, 32},
    {8, 2048, 3, 16},  {16, 96, 0, 42},  {16, 192, 1, 42}, {16, 256, 1, 32}, {16, 512, 2, 32},
    {16, 1024, 3, 32}, {64, 128, 0, 32}, {64, 192, 1, 42}, {64, 256, 1, 32}, {64, 512, 2, 32},
};

QUARRY_TEST(Shape, follows_the_number_of_cpus) {
  for (const unsigned cpus : {1U, 4U, 8U, 16U, 64U}) {
    Machine m{.cpus = cpus, .engine = SlabEngineKind::kSlub};
    for (const Golden& row : kGolden) {
      if (row.cpus != cpus) continue;
      void* object = m->kmalloc(row.bytes, gfp::kKernel);
      REQUIRE(object != nullptr);
      const CacheInfo info = MemorySystem::cache_info(*m->cache_of(object));
      CHECK_EQ(info.size, row.bytes);
      CHECK_EQ(info.pages_per_slab, 1U << row.order);
      CHECK_EQ(info.objects_per_slab, row.objects);
      m->kfree(object);
    }
  }
}

// One object in a block that just holds it, where the next order would waste no less.
QUARRY_TEST(Shape, of_large_objects) {
  Machine m{.engine = SlabEngineKind::kSlub};
  struct {
    uint32_t bytes;
    unsigned pages;
    uint32_t objects;
  } const rows[] = {{16384, 8, 2},  {20000, 8, 1},   {32768, 8, 1},
                    {40000, 16, 1}, {200000, 64, 1}, {1 << 22, 1024, 1}};
  for (const auto& row : rows) {
    KmemCache* cache = m->cache_create("large", row.bytes);
    REQUIRE(cache != nullptr);
    const CacheInfo info = MemorySystem::cache_info(*cache);
    CHECK_EQ(info.pages_per_slab, row.pages);
    CHECK_EQ(info.objects_per_slab, row.objects);
    m->cache_destroy(cache);
  }
}

}  // namespace
