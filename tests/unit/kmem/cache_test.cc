// SPDX-License-Identifier: MIT
// The life of a kmem_cache: made, used, shrunk, destroyed; constructors and what survives a free.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

CacheInfo info_of(const KmemCache* cache) { return MemorySystem::cache_info(*cache); }

QUARRY_TEST(Cache, serves_objects_of_its_size) {
  Machine m;
  KmemCache* cache = m->cache_create("ring", 100);
  REQUIRE(cache != nullptr);
  const CacheInfo info = info_of(cache);
  CHECK_TEXT(info.name, "ring");
  CHECK_EQ(info.object_size, 100U);
  const size_t size = quarry::round_up(size_t{100}, sizeof(void*));
  CHECK_EQ(info.size, size);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  REQUIRE(object != nullptr);
  CHECK(m->cache_of(object) == cache);
  CHECK_EQ(m->ksize(object), m.engine == SlabEngineKind::kSlab ? 100U : size);
  CHECK_EQ(reinterpret_cast<uintptr_t>(object) % sizeof(void*), 0U);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, the_name_is_copied) {
  Machine m;
  char name[] = "first";
  KmemCache* cache = m->cache_create(name, 64);
  REQUIRE(cache != nullptr);
  name[0] = 'w';
  CHECK_TEXT(info_of(cache).name, "first");
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, objects_are_aligned_as_asked) {
  Machine m;
  for (uint32_t align = 1; align <= 32768; align *= 2) {
    KmemCache* cache = m->cache_create("aligned", 24, {.align = align});
    REQUIRE(cache != nullptr);
    void* objects[20];
    for (void*& object : objects) {
      object = m->cache_alloc(cache, gfp::kKernel);
      REQUIRE(object != nullptr);
      CHECK_EQ(reinterpret_cast<uintptr_t>(object) % (align < 8 ? 8 : align), 0U);
    }
    m->cache_free_bulk(cache, objects);
    m->cache_destroy(cache);
  }
}

// A cache line, halved while two objects fit into the half; a word at least.
QUARRY_TEST(Cache, hwcache_align_follows_the_size) {
  Machine m;
  struct {
    size_t bytes;
    uint32_t size;
  } const rows[] = {{1, sizeof(void*)}, {8, 8},   {9, 16},  {16, 16},  {17, 32},
                    {32, 32},           {33, 64}, {64, 64}, {65, 128}, {200, 256}};
  for (const auto& row : rows) {
    KmemCache* cache = m->cache_create("lines", row.bytes, {.flags = QUARRY_SLAB_HWCACHE_ALIGN});
    REQUIRE(cache != nullptr);
    const bool too_small = m.engine == SlabEngineKind::kSlab && row.size < 16;
    CHECK_EQ(info_of(cache).size, too_small ? 16 : row.size);
    m->cache_destroy(cache);
  }
  KmemCache* cache =
      m->cache_create("lines", 100, {.align = 256, .flags = QUARRY_SLAB_HWCACHE_ALIGN});
  REQUIRE(cache != nullptr);
  CHECK_EQ(info_of(cache).size, 256U);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, objects_up_to_four_mib) {
  Machine m;
  for (const size_t bytes :
       {size_t{1}, size_t{9000}, size_t{40000}, size_t{300000}, size_t{4} << 20}) {
    KmemCache* cache = m->cache_create("any", bytes);
    REQUIRE(cache != nullptr);
    auto* object = static_cast<unsigned char*>(m->cache_zalloc(cache, gfp::kKernel));
    REQUIRE(object != nullptr);
    __builtin_memset(object, 0xff, bytes);
    m->cache_free(cache, object);
    object = static_cast<unsigned char*>(m->cache_zalloc(cache, gfp::kKernel));
    REQUIRE(object != nullptr);
    size_t sum = 0;
    for (size_t i = 0; i != bytes; ++i) sum += object[i];
    CHECK_EQ(sum, 0U);
    m->cache_free(cache, object);
    m->cache_destroy(cache);
  }
}

QUARRY_TEST(Cache, requests_that_make_no_sense_are_reported_and_null) {
  Machine m;
  struct {
    const char* name;
    size_t bytes;
    quarry::CacheOptions options;
  } const rows[] = {{nullptr, 64, {}},
                    {"zero", 0, {}},
                    {"huge", (size_t{4} << 20) + 1, {}},
                    {"odd", 64, {.align = 48}},
                    {"wide", 64, {.align = 65536}},
                    {"flags", 64, {.flags = 1}}};
  for (const auto& row : rows) {
    CHECK(m->cache_create(row.name, row.bytes, row.options) == nullptr);
    CHECK(m.reported("failed with error -22\n"));
  }
}

QUARRY_TEST(Cache, the_largest_objects_leave_no_room_for_a_link) {
  Machine m{.engine = SlabEngineKind::kSlub};
  const quarry::CacheOptions options{.ctor = [](void*) {}};
  CHECK(m->cache_create("largest", size_t{4} << 20, options) == nullptr);
  CHECK(m.reported("kmem_cache_create_usercopy(largest) failed with error -22\n"));
}

QUARRY_TEST(Cache, debugging_flags_are_kept) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* plain = m->cache_create("plain", 72);
  KmemCache* cache = m->cache_create("debugged", 72, {.flags = QUARRY_SLAB_DEBUG_FLAGS});
  REQUIRE(cache != nullptr);
  CHECK_EQ(cache->flags, plain->flags | QUARRY_SLAB_DEBUG_FLAGS);
  CHECK(cache->size > plain->size);
  m->cache_destroy(cache);
  m->cache_destroy(plain);
}

QUARRY_TEST(Cache, a_space_in_the_name_is_reported) {
  Machine m;
  KmemCache* cache = m->cache_create("two words", 64);
  CHECK(m.reported("kmem_cache_create: a space in the name"));
  CHECK(cache != nullptr);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, running_out_of_caches_is_reported_and_null) {
  Machine m{.mib = 16};
  KmemCache* caches[200];
  size_t count = 0;
  while (count != 200 && (caches[count] = m->cache_create("one_of_many", 64)) != nullptr) ++count;
  CHECK(count >= 60 && count < 200);
  CHECK(m.reported("kmem_cache_create_usercopy(one_of_many) failed with error -12\n"));
  // A destroyed one makes room.
  m->cache_destroy(caches[--count]);
  caches[count] = m->cache_create("another", 64);
  CHECK(caches[count++] != nullptr);
  for (size_t i = 0; i != count; ++i) m->cache_destroy(caches[i]);
}

QUARRY_TEST(Cache, a_place_in_the_table_is_used_again_with_another_shape) {
  for (const auto kind : {harness::CpuKind::kSimulated, harness::CpuKind::kLockless}) {
    Machine m{.cpus = kind == harness::CpuKind::kSimulated ? 1U : 0U, .cpu_kind = kind};
    const unsigned cpus = m.platform.cpu_count();
    KmemCache* small = m->cache_create("small", 16);
    REQUIRE(small != nullptr);
    const uint32_t roomy = info_of(small).array_capacity;
    void* objects[200];
    for (void*& object : objects) object = m->cache_alloc(small, gfp::kKernel);
    for (void* object : objects) m->cache_free(small, object);
    CHECK(info_of(small).cached_objects >= roomy / 2);
    m->cache_destroy(small);

    KmemCache* big = m->cache_create("big", 4000);
    REQUIRE(big == small);
    const uint32_t tight = info_of(big).array_capacity;
    CHECK(tight < roomy);
    for (void*& object : objects) object = m->cache_alloc(big, gfp::kKernel);
    for (void* object : objects) {
      m->cache_free(big, object);
      for (unsigned cpu = 0; cpu != cpus; ++cpu) {
        CHECK(big->cpu_arrays.count(quarry::CpuId(cpu)) <= tight);
      }
    }
    m->cache_destroy(big);  // finds everything that the arrays hold
  }
}

QUARRY_TEST(Cache, objects_are_counted) {
  Machine m{.cpus = 2};
  KmemCache* cache = m->cache_create("counted", 256);
  REQUIRE(cache != nullptr);
  constexpr size_t kCount = 150;
  void* objects[kCount];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  CacheInfo info = info_of(cache);
  CHECK_EQ(info.active_objects - info.cached_objects, kCount);
  CHECK_EQ(info.total_objects, info.slabs * info.objects_per_slab);
  CHECK_EQ(info.slab_pages, info.slabs * info.pages_per_slab);
  CHECK_EQ(m->slab_page_count() >= info.slab_pages, true);
  CHECK(info.array_refills > 0);
  for (void* object : objects) m->cache_free(cache, object);
  info = info_of(cache);
  CHECK_EQ(info.active_objects, info.cached_objects);
  CHECK(cache->cpu_arrays.count(quarry::CpuId{0}) <= info.array_capacity);
  CHECK(info.array_flushes > 0);
  CHECK(info.array_hits > 0);
  m->cache_destroy(cache);
}

// As Linux does: one that is the fifth of its list (min_partial), itself counted, is given back.
QUARRY_TEST(Cache, a_few_empty_slabs_are_kept) {
  Machine m{.engine = SlabEngineKind::kSlub};
  // Turns the arrays off, and never makes a request fail.
  m.core().kmem.set_fault_parameters({.probability = 100, .space = ~uint64_t{0}});
  KmemCache* cache = m->cache_create("kept", 512);
  REQUIRE(cache != nullptr);
  void* objects[10 * 8];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  CHECK_EQ(info_of(cache).slabs, 10U);
  for (void* object : objects) m->cache_free(cache, object);
  CHECK_EQ(info_of(cache).slabs, 4U);
  CHECK_EQ(info_of(cache).total_objects, 4U * 8);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, shrink_gives_every_empty_slab_back) {
  Machine m{.cpus = 2};
  KmemCache* cache = m->cache_create("shrunk", 512);
  REQUIRE(cache != nullptr);
  void* objects[64];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  CHECK(!m->cache_shrink(cache));
  CHECK_EQ(info_of(cache).cached_objects, 0U);
  for (size_t i = 0; i != 63; ++i) {
    m.on_cpu(i % 2);  // in the arrays of both CPUs
    m->cache_free(cache, objects[i]);
  }
  CHECK(!m->cache_shrink(cache));
  CacheInfo info = info_of(cache);
  CHECK_EQ(info.slabs, 1U);
  CHECK_EQ(info.active_objects, 1U);
  m->cache_free(cache, objects[63]);
  CHECK(m->cache_shrink(cache));
  info = info_of(cache);
  CHECK_EQ(info.slabs | info.total_objects | info.slab_pages | info.cached_objects, 0U);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, with_objects_left_it_is_reported_and_stays) {
  Machine m;
  KmemCache* cache = m->cache_create("leaky", 512);
  REQUIRE(cache != nullptr);
  void* first = m->cache_alloc(cache, gfp::kKernel);
  void* second = m->cache_alloc(cache, gfp::kKernel);
  __builtin_memset(first, 1, 512);
  m->cache_destroy(cache);
  CHECK_EQ(m.log.count("leaky: Slab cache still has objects when called from "), 1U);
  CHECK(m.reported("2 in 1 slabs"));
  // It works as before.
  CHECK_TEXT(info_of(cache).name, "leaky");
  CHECK(m->cache_of(first) == cache);
  void* third = m->cache_alloc(cache, gfp::kKernel);
  for (void* object : {first, second, third}) m->cache_free(cache, object);
  m->cache_destroy(cache);
  m->cache_destroy(nullptr);
}

// --- Constructors ---

struct Constructed {
  uint32_t magic;
  uint32_t uses;
  char text[40];
};
constexpr uint32_t kMagic = 0xc0de1234;
inline unsigned constructions;

void construct(void* object) {
  ++constructions;
  *static_cast<Constructed*>(object) = {kMagic, 0, "constructed"};
}

QUARRY_TEST(Cache, a_constructor_runs_once_for_each_object_of_a_slab) {
  Machine m;
  constructions = 0;
  KmemCache* cache = m->cache_create("constructed", sizeof(Constructed), {.ctor = construct});
  REQUIRE(cache != nullptr);
  const size_t per_slab = info_of(cache).objects_per_slab;
  auto* object = static_cast<Constructed*>(m->cache_alloc(cache, gfp::kKernel));
  REQUIRE(object != nullptr);
  CHECK_EQ(constructions, per_slab * info_of(cache).slabs);
  for (uint32_t round = 0; round != 100; ++round) {
    CHECK_EQ(object->magic, kMagic);
    m->cache_free(cache, object);
    object = static_cast<Constructed*>(m->cache_alloc(cache, gfp::kKernel));
  }
  CHECK_EQ(constructions, per_slab * info_of(cache).slabs);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

// Every byte of an object survives being free, in an array as well as in a slab's list.
QUARRY_TEST(Cache, constructed_contents_survive_free_and_alloc) {
  for (const uint32_t flags : {0U, QUARRY_SLAB_TYPESAFE_BY_RCU}) {
    Machine m;
    KmemCache* cache =
        m->cache_create("constructed", sizeof(Constructed), {.flags = flags, .ctor = construct});
    REQUIRE(cache != nullptr);
    constexpr size_t kCount = 300;
    void* objects[kCount];
    for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
    for (uint32_t round = 0; round != 3; ++round) {
      for (void* object : objects) m->cache_free(cache, object);
      for (void*& object : objects) {
        object = m->cache_alloc(cache, gfp::kKernel);
        REQUIRE(object != nullptr);
        const auto& one = *static_cast<Constructed*>(object);
        CHECK_EQ(one.magic, kMagic);
        CHECK_TEXT(one.text, "constructed");
      }
    }
    m->cache_free_bulk(cache, objects);
    m->cache_destroy(cache);
  }
}

// A reader under RCU may look at an object after it was freed: it is still one.
QUARRY_TEST(Cache, rcu_objects_keep_their_bytes_while_free) {
  Machine m;
  KmemCache* cache = m->cache_create("rcu", 48, {.flags = QUARRY_SLAB_TYPESAFE_BY_RCU});
  REQUIRE(cache != nullptr);
  // SLUB: the link of the free list has its own word.
  CHECK_EQ(info_of(cache).size, m.engine == SlabEngineKind::kSlub ? 48 + sizeof(void*) : 48);
  constexpr size_t kCount = 200;
  unsigned char* objects[kCount];
  for (unsigned char*& object : objects) {
    object = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
    REQUIRE(object != nullptr);
    __builtin_memset(object, 0x77, 48);
  }
  for (size_t i = 1; i != kCount; ++i) m->cache_free(cache, objects[i]);
  // Those whose slab is still the cache's.
  size_t seen = 0;
  for (const unsigned char* object : objects) {
    if (m->cache_of(object) != cache) continue;
    ++seen;
    for (size_t i = 0; i != 48; ++i) CHECK_EQ(object[i], 0x77);
  }
  CHECK(seen > 40);
  m->cache_free(cache, objects[0]);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, zero_and_a_constructor_contradict_each_other) {
  Machine m;
  KmemCache* cache = m->cache_create("constructed", sizeof(Constructed), {.ctor = construct});
  REQUIRE(cache != nullptr);
  void* objects[3];
  for (void*& object : objects) object = m->cache_zalloc(cache, gfp::kKernel);
  CHECK_EQ(m.log.count("__GFP_ZERO"), 1U);  // once a place
  CHECK(m.reported("WARNING"));
  m->cache_free_bulk(cache, objects);
  m->cache_destroy(cache);
}

QUARRY_TEST(Cache, one_size_has_one_cache_for_each_who_asks) {
  Machine m;
  KmemCache* first = m->cache_create("first", 64);
  KmemCache* second = m->cache_create("second", 64);
  REQUIRE(first != nullptr && second != nullptr && first != second);
  void* object = m->cache_alloc(first, gfp::kKernel);
  CHECK_EQ(info_of(second).total_objects, 0U);
  m->cache_free(first, object);
  m->cache_destroy(second);
  m->cache_destroy(first);
}

}  // namespace
