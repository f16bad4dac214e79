// SPDX-License-Identifier: MIT
// SLAB's timed reaper, and the tunables that are written to slabinfo.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CpuId;
using quarry::FileWrite;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::SlabCounts;
using quarry::SlabEngineKind;
using quarry::SlabTunables;
namespace gfp = quarry::gfp;

constexpr uint64_t kSecond = 1'000'000'000;

SlabCounts counts(Machine& m, const KmemCache* cache) { return m.core().kmem.counts(*cache); }

size_t array_count(const KmemCache* cache, unsigned cpu = 0) {
  return cache->cpu_arrays.count(CpuId(cpu));
}

void use(Machine& m, KmemCache* cache, unsigned count) {
  static void* objects[1000];
  for (unsigned i = 0; i != count; ++i) objects[i] = m->cache_alloc(cache, gfp::kKernel);
  for (unsigned i = 0; i != count; ++i) m->cache_free(cache, objects[i]);
}

// Spared once, then a fifth of the limit each time: 24 of 120; of less than that, half.
QUARRY_TEST(SlabReap, an_idle_array_loses_a_fifth) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("idle", 64);
  use(m, cache, 300);
  size_t left = array_count(cache);
  CHECK(left > 60);
  m->reap_caches(CpuId{0});
  CHECK_EQ(array_count(cache), left);
  while (left != 0) {
    left -= left >= 24 ? 24 : (left + 1) / 2;
    m->reap_caches(CpuId{0});
    CHECK_EQ(array_count(cache), left);
  }
  // A refill spares it, and an object more or less.
  use(m, cache, 10);
  left = array_count(cache);
  m->reap_caches(CpuId{0});
  void* object = m->cache_alloc(cache, gfp::kKernel);
  m->reap_caches(CpuId{0});
  CHECK_EQ(array_count(cache), left - 1);
  m->reap_caches(CpuId{0});
  CHECK_EQ(array_count(cache), left - 1 - left / 2);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

// What was freed first goes first.
QUARRY_TEST(SlabReap, takes_the_oldest) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("oldest", 64);
  void* objects[100];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  m.give_back_all();
  for (void* object : objects) m->cache_free(cache, object);
  m->reap_caches(CpuId{0});
  m->reap_caches(CpuId{0});
  CHECK_EQ(array_count(cache), 76U);
  for (unsigned i = 100; i-- != 24;) CHECK(m->cache_alloc(cache, gfp::kKernel) == objects[i]);
  CHECK_EQ(array_count(cache), 0U);
  for (unsigned i = 24; i != 100; ++i) m->cache_free(cache, objects[i]);
  m->cache_destroy(cache);
}

// After a reaping that found the array idle, a refill begins small.
QUARRY_TEST(SlabReap, an_idle_cpu_takes_16_at_first) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("first", 64);
  void* first = m->cache_alloc(cache, gfp::kKernel);
  CHECK_EQ(array_count(cache), 15U);
  void* objects[16];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  CHECK_EQ(array_count(cache), 47U);  // 64 in a slab
  m->cache_free(cache, first);
  for (void* object : objects) m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabReap, the_shared_array_and_free_slabs_every_four_seconds) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("node", 256);
  use(m, cache, 1000);
  use(m, cache, 1000);                     // from the shared array, too
  m.platform.advance_clock(10 * kSecond);  // beyond the first reaping, which is spread
  const SlabCounts full = counts(m, cache);
  CHECK_EQ(full.shared_objects, 480U);
  m->reap_caches(CpuId{0});  // both were touched
  CHECK_EQ(counts(m, cache).shared_objects, 480U);
  CHECK_EQ(counts(m, cache).free_slabs, full.free_slabs);
  m.platform.advance_clock(3 * kSecond);
  m->reap_caches(CpuId{1});  // too early
  CHECK_EQ(counts(m, cache).shared_objects, 480U);
  m.platform.advance_clock(1 * kSecond);
  m->reap_caches(CpuId{1});
  CHECK_EQ(counts(m, cache).shared_objects, 480U - 96);
  // Of free_limit 196: (196 + 5 * 16 - 1) / (5 * 16) slabs.
  CHECK(counts(m, cache).slabs <= full.slabs - 3);
  for (unsigned round = 0; round != 60; ++round) {
    m.platform.advance_clock(2 * kSecond);
    m->reap_caches(CpuId(round % 2));
  }
  CHECK_EQ(counts(m, cache).slabs, 0U);
  CHECK(m.sound());
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabReap, one_alien_array_in_turn) {
  Machine m{.nodes = 3, .cpus = 3, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("alien", 64);
  void* objects[2][5];
  for (unsigned node = 0; node != 2; ++node) {
    m.on_cpu(node);
    for (void*& object : objects[node]) object = m->cache_alloc(cache, gfp::kKernel);
  }
  m.on_cpu(2);
  for (auto& of_node : objects) {
    for (void* object : of_node) m->cache_free(cache, object);
  }
  CHECK_EQ(counts(m, cache).alien_objects, 10U);
  m->reap_caches(CpuId{2});  // of node 0, the next one after 2
  CHECK_EQ(counts(m, cache).alien_objects, 5U);
  CHECK_EQ(counts(m, cache).shared_objects, 5U);
  m->reap_caches(CpuId{2});
  CHECK_EQ(counts(m, cache).alien_objects, 0U);
  CHECK_EQ(counts(m, cache).shared_objects, 10U);
  m->cache_destroy(cache);
}

// step() reaps every two seconds, for all CPUs.
QUARRY_TEST(SlabReap, is_part_of_what_a_system_does_in_the_background) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  CHECK_EQ(m->step(), 2 * kSecond);
  KmemCache* cache = m->cache_create("idle", 64);
  for (unsigned cpu = 0; cpu != 2; ++cpu) {
    m.on_cpu(cpu);
    use(m, cache, 1);
  }
  const size_t before = array_count(cache, 0) + array_count(cache, 1);
  m.platform.advance_clock(kSecond);
  CHECK_EQ(m->step(), 1 * kSecond);
  for (unsigned round = 0; round != 2; ++round) {
    CHECK_EQ(array_count(cache, 0) + array_count(cache, 1), before);
    m.platform.advance_clock(2 * kSecond);
    m->step();
  }
  CHECK_EQ(array_count(cache, 0) + array_count(cache, 1), before / 2);
  m->cache_destroy(cache);
}

FileWrite write(Machine& m, const char* line) {
  return m->write_slabinfo({line, __builtin_strlen(line)});
}

SlabTunables tunables(Machine& m, const KmemCache* cache) {
  return m.core().kmem.engine().tunables(*cache);
}

QUARRY_TEST(SlabTunables, are_written_through_slabinfo) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("tuned", 64);
  use(m, cache, 1000);
  CHECK_EQ(write(m, "tuned 10 5 2\n"), FileWrite::kDone);
  CHECK_EQ(tunables(m, cache).limit, 10U);
  CHECK_EQ(tunables(m, cache).batchcount, 5U);
  CHECK_EQ(tunables(m, cache).shared, 2U);
  CHECK_EQ(MemorySystem::cache_info(*cache).array_capacity, 10U);
  // All arrays were emptied, and hold no more than that from now on.
  CHECK_EQ(MemorySystem::cache_info(*cache).cached_objects, 0U);
  use(m, cache, 1000);
  CHECK_EQ(array_count(cache), 10U);
  CHECK_EQ(counts(m, cache).shared_objects, 10U);
  // (1 + 2) * 5 + 64
  CHECK(counts(m, cache).free_in_partial <= 79 || counts(m, cache).free_slabs == 0);
  quarry::FixedText<8192> text;
  m->slabinfo(text);
  CHECK(harness::find_text(text.c_str(), " : tunables   10    5    2 : slabdata ") != nullptr);
  CHECK_EQ(write(m, "tuned 126 63 0"), FileWrite::kDone);
  void* objects[127];
  REQUIRE(m->cache_alloc_bulk(cache, gfp::kKernel, objects) == 127);
  for (unsigned i = 0; i != 126; ++i) m->cache_free(cache, objects[i]);
  CHECK_EQ(array_count(cache), 126U);
  m->cache_free(cache, objects[126]);
  CHECK_EQ(array_count(cache), 64U);
  CHECK_EQ(counts(m, cache).shared_objects, 0U);
  CHECK(m.sound());
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabTunables, refusals_are_linux_s) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("tuned", 64);
  for (const char* line :
       {"tuned", "tuned 10 5", "tuned 10 5 x", "tuned x 5 1", "", " 1 1 1", "nobody 10 5 1",
        "tune 10 5 1", "tuned1 10 5 1", "tuned 99999999999 5 1"}) {
    CHECK_EQ(write(m, line), FileWrite::kInvalid);
  }
  quarry::FixedText<256> long_line;
  format(long_line, "tuned 10 5 1%120s", "");
  CHECK_EQ(write(m, long_line.c_str()), FileWrite::kInvalid);
  // Numbers that make no sense are taken, and nothing comes of them.
  for (const char* line :
       {"tuned 0 0 0", "tuned 10 0 1", "tuned 5 10 1", "tuned 10 5 -1", "tuned -1 -1 1"}) {
    CHECK_EQ(write(m, line), FileWrite::kDone);
  }
  // Larger than there is room for.
  CHECK_EQ(write(m, "tuned 127 60 8"), FileWrite::kNoMemory);
  CHECK_EQ(write(m, "tuned 120 60 9"), FileWrite::kNoMemory);
  CHECK_EQ(tunables(m, cache).limit, 120U);
  CHECK_EQ(tunables(m, cache).shared, 8U);
  m->cache_destroy(cache);

  Machine slub{.engine = SlabEngineKind::kSlub};
  CHECK_EQ(write(slub, "kmalloc-64 10 5 1"), FileWrite::kReadOnly);
}

}  // namespace
