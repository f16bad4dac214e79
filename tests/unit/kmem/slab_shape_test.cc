// SPDX-License-Identifier: MIT
// How SLAB cuts slabs: Linux's numbers (linux-behaviour.md, section 2; Linux 6.1's slabinfo).
#include "kmem/slab/slab_plan.h"

#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::FreelistPlace;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::SlabEngineKind;
using quarry::SlabPlan;
using quarry::SlabTunables;
namespace gfp = quarry::gfp;

void construct(void*) {}

struct Golden {
  uint32_t bytes;
  uint32_t align;
  uint32_t flags;
  bool has_ctor;
  // Wanted.
  uint32_t slot;
  uint32_t objects;
  unsigned order;
  FreelistPlace place;
  uint32_t colours;
  SlabTunables tunables;
};

constexpr uint32_t kReclaim = QUARRY_SLAB_RECLAIM_ACCOUNT;
constexpr uint32_t kRcu = QUARRY_SLAB_TYPESAFE_BY_RCU;
constexpr uint32_t kNoLeak = QUARRY_SLAB_NOLEAKTRACE;
constexpr FreelistPlace kIn = FreelistPlace::kObject;
constexpr FreelistPlace kOff = FreelistPlace::kOffSlab;
constexpr FreelistPlace kEnd = FreelistPlace::kOnSlab;
constexpr SlabTunables kSmall = {120, 60, 8};
constexpr SlabTunables kMiddle = {54, 27, 8};
constexpr SlabTunables kLarge = {24, 12, 8};
constexpr SlabTunables kPages = {8, 4, 0};

// A machine of several CPUs with more than 32 MiB.
constexpr Golden kTable[] = {
    // kmalloc
    {32, 32, 0, false, 32, 124, 0, kEnd, 0, kSmall},
    {64, 64, 0, false, 64, 64, 0, kIn, 0, kSmall},
    {96, 8, 0, false, 96, 42, 0, kIn, 1, kSmall},
    {128, 128, 0, false, 128, 32, 0, kIn, 0, kSmall},
    {192, 8, 0, false, 192, 21, 0, kIn, 1, kSmall},
    {256, 256, 0, false, 256, 16, 0, kIn, 0, kSmall},
    {512, 512, 0, false, 512, 8, 0, kIn, 0, kMiddle},
    {1024, 1024, 0, false, 1024, 4, 0, kIn, 0, kMiddle},
    {2048, 2048, 0, false, 2048, 2, 0, kIn, 0, kLarge},
    {4096, 4096, 0, false, 4096, 1, 0, kIn, 0, kLarge},
    {8192, 8192, 0, false, 8192, 1, 1, kIn, 0, kPages},
    // Numbers of objects are bytes: at most 255, and no object is smaller than 16.
    {8, 8, 0, false, 16, 240, 0, kEnd, 0, kSmall},
    {16, 8, 0, false, 16, 240, 0, kEnd, 0, kSmall},
    {24, 8, 0, false, 24, 163, 0, kEnd, 0, kSmall},
    // Caches of a kernel: dentry, buffer_head, vm_area_struct, task_struct, ext4_inode_cache.
    {192, 8, kReclaim, false, 192, 21, 0, kIn, 1, kSmall},
    {104, 8, kReclaim, false, 104, 39, 0, kIn, 0, kSmall},
    {200, 8, 0, false, 200, 20, 0, kIn, 1, kSmall},
    {5888, 64, 0, false, 5888, 1, 1, kIn, 36, kPages},
    {1072, 8, kReclaim, true, 1072, 3, 0, kEnd, 13, kLarge},
    {576, 8, kReclaim, true, 576, 7, 0, kEnd, 0, kMiddle},
    // The list in an object of kmalloc: where free objects must stay as they are, nothing is left
    // over, and an object is at least twice what the list takes.
    {512, 8, 0, true, 512, 8, 0, kOff, 0, kMiddle},
    {128, 8, kRcu, false, 128, 32, 0, kOff, 0, kSmall},
    {128, 8, kRcu | kNoLeak, false, 128, 31, 0, kEnd, 1, kSmall},
    {64, 8, 0, true, 64, 63, 0, kEnd, 0, kSmall},
    {80, 8, kRcu, true, 80, 50, 0, kEnd, 0, kSmall},
    // Orders: an eighth of waste is too much for a page; reclaimable objects take what comes.
    {1500, 8, 0, false, 1504, 5, 1, kIn, 10, kLarge},
    {1500, 8, kReclaim, false, 1504, 2, 0, kIn, 17, kLarge},
    {700, 8, 0, false, 704, 11, 1, kIn, 7, kMiddle},
    {6000, 8, 0, false, 6000, 1, 1, kIn, 34, kPages},
    {20000, 8, 0, false, 20000, 1, 3, kIn, 199, kPages},
    {200000, 8, 0, false, 200000, 1, 6, kIn, 971, {1, 1, 0}},
};

SlabPlan plan(const Golden& row, unsigned max_order) {
  return quarry::plan_slab({row.bytes, row.align, row.flags, row.has_ctor}, max_order);
}

QUARRY_TEST(SlabShape, is_linux_s) {
  for (const Golden& row : kTable) {
    const SlabPlan got = plan(row, 1);
    CHECK_EQ(got.slot_bytes, row.slot);
    CHECK_EQ(got.objects, row.objects);
    CHECK_EQ(got.order, row.order);
    CHECK_EQ(got.place, row.place);
    CHECK_EQ(got.colours, row.colours);
    CHECK_EQ(got.colour_bytes, row.align > 64 ? row.align : 64);
    CHECK_EQ(got.object_offset, 0U);
  }
}

QUARRY_TEST(SlabShape, is_what_a_machine_has) {
  Machine m{.mib = 64, .cpus = 2, .engine = SlabEngineKind::kSlab};
  for (const Golden& row : kTable) {
    KmemCache* cache = m->cache_create(
        "row", row.bytes,
        {.align = row.align, .flags = row.flags, .ctor = row.has_ctor ? construct : nullptr});
    REQUIRE(cache != nullptr);
    const CacheInfo info = MemorySystem::cache_info(*cache);
    CHECK_EQ(info.size, row.slot);
    CHECK_EQ(info.objects_per_slab, row.objects);
    CHECK_EQ(info.pages_per_slab, 1U << row.order);
    const SlabTunables tunables = m.core().kmem.engine().tunables(*cache);
    CHECK_EQ(tunables.limit, row.tunables.limit);
    CHECK_EQ(tunables.batchcount, row.tunables.batchcount);
    CHECK_EQ(tunables.shared, row.tunables.shared);
    CHECK_EQ(info.array_capacity, row.tunables.limit);
    void* object = m->cache_alloc(cache, gfp::kKernel);
    REQUIRE(object != nullptr);
    CHECK_EQ(m->ksize(object), row.bytes);
    m->cache_free(cache, object);
    m->cache_destroy(cache);
  }
}

uint32_t pages_of(Machine& m, uint32_t bytes) {
  KmemCache* cache = m->cache_create("order", bytes);
  const uint32_t pages = MemorySystem::cache_info(*cache).pages_per_slab;
  m->cache_destroy(cache);
  return pages;
}

// slab_max_order: 1 above 32 MiB, otherwise 0; and as the command line says.
QUARRY_TEST(SlabShape, orders_follow_memory_and_parameter) {
  Machine small{.mib = 32, .engine = SlabEngineKind::kSlab};
  CHECK_EQ(pages_of(small, 1500), 1U);
  CHECK_EQ(pages_of(small, 5000), 2U);
  Machine large{.mib = 40, .engine = SlabEngineKind::kSlab};
  CHECK_EQ(pages_of(large, 1500), 2U);
  CHECK_EQ(pages_of(large, 2200), 2U);
  Machine asked{.mib = 40,
                .engine = SlabEngineKind::kSlab,
                .configure = [](quarry::Config& config) { config.slab_max_order = 3; }};
  CHECK_EQ(pages_of(asked, 1500), 2U);
  CHECK_EQ(pages_of(asked, 2200), 4U);
}

QUARRY_TEST(SlabShape, one_cpu_shares_with_nobody) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("alone", 100);
  CHECK_EQ(m.core().kmem.engine().tunables(*cache).shared, 0U);
  m->cache_destroy(cache);
}

// What red zones and the last user add; both go where an alignment above 8 would suffer.
QUARRY_TEST(SlabShape, of_caches_that_look_for_misuse) {
  constexpr uint32_t kZones = QUARRY_SLAB_RED_ZONE;
  constexpr uint32_t kUser = QUARRY_SLAB_STORE_USER;
  constexpr uint32_t kWord = sizeof(void*);
  struct {
    uint32_t bytes;
    uint32_t align;
    uint32_t flags;
    uint32_t slot;
    uint32_t offset;
    uint32_t left;
  } const rows[] = {{100, 8, kZones, 120, 8, kZones},
                    {100, 8, kUser, quarry::round_up(100U, kWord) + kWord, 0, kUser},
                    {100, 8, kZones | kUser, 128, 8, kZones | kUser},
                    {100, 16, kZones | kUser | QUARRY_SLAB_POISON, 112, 0, QUARRY_SLAB_POISON},
                    {100, 8, QUARRY_SLAB_POISON, 104, 0, QUARRY_SLAB_POISON},
                    {100, 8, QUARRY_SLAB_POISON | kRcu, 104, 0, kRcu}};
  for (const auto& row : rows) {
    const SlabPlan got = quarry::plan_slab({row.bytes, row.align, row.flags, false}, 1);
    CHECK_EQ(got.slot_bytes, quarry::round_up(row.slot, row.align));
    CHECK_EQ(got.object_offset, row.offset);
    CHECK_EQ(got.flags, row.left);
  }
}

}  // namespace
