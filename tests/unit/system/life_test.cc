// SPDX-License-Identifier: MIT
// Systems begin, live side by side, end and begin again.
#include "machine.h"

namespace {

using harness::Log;
using harness::Machine;
using harness::MachinePlatform;
using quarry::Config;
using quarry::kKiB;
using quarry::kMiB;
using quarry::MemoryRange;
using quarry::MemorySystem;
using quarry::MemoryType;
using quarry::NodeId;
using quarry::Order;
using quarry::PhysAddr;
namespace gfp = quarry::gfp;

QUARRY_TEST(System, is_unbooted_at_first) {
  static constinit MemorySystem system;
  CHECK(!system.booted());
}

QUARRY_TEST(System, several_live_side_by_side) {
  Machine first{.nodes = 2, .mib = 32, .cpus = 2};
  Machine second{.mib = 64};
  Machine third{.mib = 16};
  Machine* const machines[] = {&first, &second, &third};
  void* objects[3][50];
  for (size_t i = 0; i != 50; ++i) {
    for (size_t k = 0; k != 3; ++k) {
      objects[k][i] = (*machines[k])->kmalloc(100 + i, gfp::kKernel);
      REQUIRE(objects[k][i] != nullptr);
      __builtin_memset(objects[k][i], static_cast<int>(k), 100 + i);
    }
  }
  for (size_t k = 0; k != 3; ++k) {
    Machine& own = *machines[k];
    Machine& other = *machines[(k + 1) % 3];
    CHECK(other->cache_of(objects[k][0]) == nullptr);
    CHECK(other->virt_to_page(objects[k][0]) == nullptr);
    other->kfree(objects[k][0]);  // none of its own
    CHECK(other.reported("object pointer:"));
    for (size_t i = 0; i != 50; ++i) {
      CHECK_EQ(*static_cast<unsigned char*>(objects[k][i]), k);
      own->kfree(objects[k][i]);
    }
  }
}

QUARRY_TEST(System, counts_what_is_left_at_its_end) {
  Log log;
  MachinePlatform platform;
  const MemoryRange map[] = {{PhysAddr(0), 64 * kMiB, NodeId(0), MemoryType::kUsable}};
  REQUIRE(harness::open_platform(platform, {.memory_map = map, .log = &log}) == nullptr);
  MemorySystem system;
  REQUIRE(system.boot(platform, Config()));
  CHECK(system.booted());
  for (int i = 0; i != 3; ++i) CHECK(system.kmalloc(700, gfp::kKernel) != nullptr);
  void* freed = system.kmalloc(30, gfp::kKernel);
  system.kfree(freed);
  CHECK(system.vmalloc(10000) != nullptr);
  CHECK_EQ(system.shutdown(), 4U);
  CHECK(!system.booted());
  CHECK_EQ(log.count("kmalloc-1k: 3 objects were never freed"), 1U);

  // The memory is the platform's again, and as fresh as at first.
  REQUIRE(system.boot(platform, Config()));
  void* object = system.kzalloc(700, gfp::kKernel);
  REQUIRE(object != nullptr);
  for (size_t i = 0; i != 700; ++i) CHECK_EQ(static_cast<unsigned char*>(object)[i], 0);
  system.kfree(object);
  CHECK_EQ(system.shutdown(), 0U);
}

QUARRY_TEST(System, a_machine_that_is_too_small_is_refused) {
  const MemoryRange tiny[] = {{PhysAddr(0), 64 * kKiB, NodeId(0), MemoryType::kUsable}};
  const MemoryRange reserved[] = {{PhysAddr(0), 32 * kMiB, NodeId(0), MemoryType::kUsable},
                                  {PhysAddr(0), 32 * kMiB, NodeId(0), MemoryType::kReserved}};
  for (const std::span<const MemoryRange> map : {std::span(tiny, 1), std::span(reserved, 2)}) {
    Log log;
    MachinePlatform platform;
    // Else it is the platform's own refusal.
    if (harness::open_platform(platform, {.memory_map = map, .log = &log}) != nullptr) continue;
    MemorySystem system;
    CHECK(!system.boot(platform, Config()));
    CHECK(!system.booted());
    CHECK_EQ(log.count("too little memory"), 1U);
  }
}

QUARRY_TEST(System, boots_on_little_memory_and_on_a_lot) {
  for (const unsigned mib : {8U, 16U, 100U, 1024U, 6144U}) {
    // A simulated machine has no page tables, which memory above the direct map needs.
    if (uint64_t{mib} * kMiB > quarry::Arch::kLowmemLimit) continue;
    Machine m{.mib = mib, .cpus = 4};
    CHECK(m->managed_pages() > mib * 256U / 2);
    void* object = m->kmalloc(100, gfp::kKernel);
    CHECK(object != nullptr);
    m->kfree(object);
  }
}

QUARRY_TEST(System, can_be_stopped_and_go_on) {
  Machine m{.nodes = 2, .cpus = 4};
  quarry::KmemCache* cache = m->cache_create("own", 100);
  m->lock_all();
  m->unlock_all();
  void* object = m->cache_alloc(cache, gfp::kKernel);
  CHECK(object != nullptr);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(Engine, names) {
  quarry::SlabEngineKind kind{};
  CHECK(quarry::find_slab_engine("slub", kind));
  CHECK_EQ(kind, quarry::SlabEngineKind::kSlub);
  CHECK_TEXT(quarry::slab_engine_name(kind), "slub");
  for (const char* name : {"", "slu", "slubs", "SLUB", "none"}) {
    CHECK(!quarry::find_slab_engine(name, kind));
  }
}

}  // namespace
