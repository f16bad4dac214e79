// SPDX-License-Identifier: MIT
// init_on_alloc and init_on_free.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::Order;
namespace gfp = quarry::gfp;

bool is_filled(const void* memory, size_t bytes, unsigned char value) {
  const auto* byte = static_cast<const unsigned char*>(memory);
  for (size_t i = 0; i != bytes; ++i) {
    if (byte[i] != value) return false;
  }
  return true;
}

// Dirty memory of every kind, which is free afterwards.
void dirty(Machine& m) {
  for (const size_t bytes : {size_t{24}, size_t{200}, size_t{20000}}) {
    void* objects[20];
    for (void*& object : objects) {
      object = m->kmalloc(bytes, gfp::kKernel);
      REQUIRE(object != nullptr);
      __builtin_memset(object, 0xdd, m->ksize(object));
    }
    for (void* object : objects) m->kfree(object);
  }
}

QUARRY_TEST(Zeroing, what_is_given_out_is_zero) {
  Machine m{.init_on_alloc = true};
  dirty(m);
  for (const size_t bytes : {size_t{24}, size_t{200}, size_t{20000}}) {
    void* object = m->kmalloc(bytes, gfp::kKernel);
    REQUIRE(object != nullptr);
    CHECK(is_filled(object, m->ksize(object), 0));
    __builtin_memset(object, 0xdd, m->ksize(object));
    // What is new of an object that stays where it is.
    CHECK(m->krealloc(object, bytes - 10, gfp::kKernel) == object);
    CHECK(is_filled(static_cast<char*>(object) + bytes - 10, 10, 0));
    m->kfree(object);
  }
  KmemCache* cache = m->cache_create("plain", 100);
  void* objects[30];
  for (int round = 0; round != 2; ++round) {
    REQUIRE_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, objects), std::size(objects));
    for (void* object : objects) {
      CHECK(is_filled(object, 100, 0));
      __builtin_memset(object, 0xdd, 100);
    }
    m->cache_free_bulk(cache, objects);
  }
  m->cache_destroy(cache);
  void* pages = m->get_free_pages(gfp::kKernel, Order(2));
  REQUIRE(pages != nullptr);
  CHECK(is_filled(pages, 16384, 0));
  m->free_pages_at(pages, Order(2));
  void* area = m->vmalloc(50000);
  REQUIRE(area != nullptr);
  CHECK(is_filled(area, 50000, 0));
  m->vfree(area);
}

// All but where the allocator's own words are.
QUARRY_TEST(Zeroing, what_is_freed_is_zero_at_once) {
  Machine m{.init_on_free = true};
  for (const size_t bytes : {size_t{24}, size_t{200}, size_t{20000}}) {
    void* kept = m->kmalloc(bytes, gfp::kKernel);  // so that the slab stays
    auto* object = static_cast<unsigned char*>(m->kmalloc(bytes, gfp::kKernel));
    REQUIRE(kept != nullptr && object != nullptr);
    __builtin_memset(object, 0xdd, bytes);
    m->kfree(object);
    size_t left = 0;
    for (size_t i = 0; i != bytes; ++i) left += object[i] == 0xdd ? 1 : 0;
    CHECK(left < sizeof(void*));
    // Given out again it is zero altogether.
    void* again = m->kmalloc(bytes, gfp::kKernel);
    CHECK(again == object);
    CHECK(is_filled(again, bytes, 0));
    m->kfree(again);
    m->kfree(kept);
  }
  KmemCache* cache = m->cache_create("plain", 100);
  void* objects[30];
  REQUIRE_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, objects), std::size(objects));
  for (void* object : objects) __builtin_memset(object, 0xdd, 100);
  m->cache_free_bulk(cache, {objects, 20});
  for (size_t i = 0; i != 20; ++i) {
    size_t left = 0;
    for (size_t at = 0; at != 100; ++at) {
      left += static_cast<unsigned char*>(objects[i])[at] == 0xdd ? 1 : 0;
    }
    CHECK(left < sizeof(void*));
  }
  m->cache_free_bulk(cache, std::span(objects).subspan(20));
  m->cache_destroy(cache);
  // Twice is still found.
  void* object = m->kmalloc(100, gfp::kKernel);
  m->kfree(object);
  m->kfree(object);
  CHECK(m.reported("Object already free") || m.reported("double free detected"));
}

QUARRY_TEST(Zeroing, constructed_objects_and_those_for_readers_keep_their_bytes) {
  Machine m{.init_on_alloc = true, .init_on_free = true};
  KmemCache* constructed = m->cache_create(
      "constructed", 100, {.ctor = [](void* object) { __builtin_memset(object, 0xc0, 100); }});
  KmemCache* typesafe = m->cache_create("typesafe", 100, {.flags = QUARRY_SLAB_TYPESAFE_BY_RCU});
  void* one = m->cache_alloc(constructed, gfp::kKernel);
  void* kept = m->cache_alloc(constructed, gfp::kKernel);
  REQUIRE(one != nullptr && kept != nullptr);
  CHECK(is_filled(one, 100, 0xc0));
  m->cache_free(constructed, one);
  CHECK(is_filled(one, 100, 0xc0));
  void* other = m->cache_alloc(typesafe, gfp::kKernel);
  void* stays = m->cache_alloc(typesafe, gfp::kKernel);
  REQUIRE(other != nullptr && stays != nullptr);
  __builtin_memset(other, 0x77, 100);
  m->cache_free(typesafe, other);
  CHECK(is_filled(other, 100, 0x77));
  m->cache_free(typesafe, stays);
  m->cache_free(constructed, kept);
  m->cache_destroy(constructed);
  m->cache_destroy(typesafe);
}

}  // namespace
