// SPDX-License-Identifier: MIT
// Many objects in one call: all of them or none, of one cache or of any.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::MemorySystem;
namespace gfp = quarry::gfp;

uint64_t users_of(const KmemCache* cache) {
  const CacheInfo info = MemorySystem::cache_info(*cache);
  return info.active_objects - info.cached_objects;
}

QUARRY_TEST(Bulk, gives_as_many_as_asked) {
  for (const size_t bytes : {size_t{16}, size_t{500}, size_t{4096}}) {
    Machine m{.cpus = 2};
    KmemCache* cache = m->cache_create("bulk", bytes);
    REQUIRE(cache != nullptr);
    unsigned char* objects[500];
    auto* const plain = reinterpret_cast<void**>(objects);
    for (size_t count = 1; count <= 500; count = count * 2 + 1) {
      CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, {plain, count}), count);
      CHECK_EQ(users_of(cache), count);
      for (size_t i = 0; i != count; ++i) __builtin_memset(objects[i], static_cast<int>(i), bytes);
      for (size_t i = 0; i != count; ++i) {
        CHECK_EQ(objects[i][0], static_cast<unsigned char>(i));
        CHECK_EQ(objects[i][bytes - 1], static_cast<unsigned char>(i));
      }
      m->cache_free_bulk(cache, {plain, count});
      CHECK_EQ(users_of(cache), 0U);
    }
    CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, {}), 0U);
    m->cache_free_bulk(cache, {});
    m->cache_destroy(cache);
  }
}

QUARRY_TEST(Bulk, counts_what_the_array_has_no_room_for_as_a_flush) {
  Machine m;
  KmemCache* cache = m->cache_create("bulk", 64);
  REQUIRE(cache != nullptr);
  void* objects[150];
  REQUIRE(MemorySystem::cache_info(*cache).array_capacity < 150);
  REQUIRE_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, objects), 150U);
  m->cache_free_bulk(cache, std::span(objects).first(10));
  CHECK_EQ(MemorySystem::cache_info(*cache).array_flushes, 0U);
  m->cache_free_bulk(cache, std::span(objects).subspan(10));
  CHECK(MemorySystem::cache_info(*cache).array_flushes != 0);
  m->cache_destroy(cache);
}

QUARRY_TEST(Bulk, zeroes_every_object) {
  Machine m;
  KmemCache* cache = m->cache_create("bulk", 72);
  REQUIRE(cache != nullptr);
  void* objects[100];
  for (int round = 0; round != 2; ++round) {
    REQUIRE_EQ(m->cache_alloc_bulk(cache, gfp::kKernel | gfp::kZero, objects), 100U);
    for (void* object : objects) {
      for (size_t i = 0; i != 72; ++i) CHECK_EQ(static_cast<unsigned char*>(object)[i], 0);
      __builtin_memset(object, 0xff, 72);
    }
    m->cache_free_bulk(cache, objects);
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(Bulk, gives_nothing_where_memory_is_short) {
  Machine m{.mib = 16};
  KmemCache* cache = m->cache_create("bulk", 8192);
  REQUIRE(cache != nullptr);
  void* objects[4096];  // 32 MiB
  CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel | gfp::kNoWarn, objects), 0U);
  CHECK_EQ(users_of(cache), 0U);
  CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, {objects, 500}), 500U);
  m->cache_free_bulk(cache, {objects, 500});
  m->cache_destroy(cache);
}

QUARRY_TEST(Bulk, frees_objects_of_all_kinds_together) {
  Machine m{.nodes = 2, .cpus = 2};
  KmemCache* cache = m->cache_create("bulk", 72);
  REQUIRE(cache != nullptr);
  void* objects[202];
  for (size_t i = 0; i != 200; ++i) {
    const auto node = quarry::NodeId(i % 2);
    objects[i] = i % 3 == 0 ? m->cache_alloc_node(cache, gfp::kKernel, node)
                            : m->kmalloc_node(8 << i % 11, gfp::kKernel, node);
    REQUIRE(objects[i] != nullptr);
  }
  objects[200] = nullptr;
  objects[201] = m->kmalloc(5 * kPageBytes, gfp::kKernel);
  m->cache_free_bulk(nullptr, objects);
  CHECK_EQ(users_of(cache), 0U);
  m->cache_destroy(cache);
}

QUARRY_TEST(Bulk, an_object_of_another_cache_is_reported_and_goes_home) {
  Machine m;
  KmemCache* cache = m->cache_create("bulk", 72);
  KmemCache* other = m->cache_create("other", 72);
  REQUIRE(cache != nullptr && other != nullptr);
  void* objects[] = {m->cache_alloc(cache, gfp::kKernel), m->cache_alloc(other, gfp::kKernel),
                     m->cache_alloc(cache, gfp::kKernel)};
  m->cache_free_bulk(cache, objects);
  CHECK_EQ(m.log.count("Wrong slab cache. bulk but object is from other"), 1U);
  CHECK(m.reported("WARNING"));
  CHECK_EQ(users_of(cache), 0U);
  CHECK_EQ(users_of(other), 0U);
  m->cache_destroy(cache);
  m->cache_destroy(other);
}

}  // namespace
