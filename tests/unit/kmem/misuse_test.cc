// SPDX-License-Identifier: MIT
// Pointers that are nobody's object, and objects freed twice in a row: reported, and nothing else
// is harmed. The machine's end checks that every other object is as it was.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CpuId;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::MemorySystem;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

// In the words of the arrays and of SLUB, or in SLAB's.
bool reported_free_already(Machine& m) {
  return m.reported("Object already free") ||
         m.reported("slab: double free detected in cache 'kmalloc-");
}
constexpr const char* kNotKmalloc = "object pointer:";

// All objects differ: an object that is given twice shows.
bool all_different(void* const* objects, size_t count) {
  for (size_t i = 0; i != count; ++i) {
    for (size_t j = 0; j != i; ++j) {
      if (objects[i] == objects[j]) return false;
    }
  }
  return true;
}

QUARRY_TEST(Misuse, pointers_outside_of_ram_are_reported) {
  Machine m;
  int on_the_stack = 0;
  m->kfree(&on_the_stack);
  CHECK(m.reported(kNotKmalloc));
  m->kfree(reinterpret_cast<void*>(uintptr_t{0x1000}));
  CHECK(m.reported(kNotKmalloc));
  m->kfree(reinterpret_cast<void*>(~uintptr_t{0xfff}));
  CHECK(m.reported(kNotKmalloc));
  CHECK_EQ(m->ksize(&on_the_stack), 0U);
  CHECK(m->cache_of(&on_the_stack) == nullptr);
}

QUARRY_TEST(Misuse, a_report_shows_the_pointer) {
  Machine m;
  m->kfree(reinterpret_cast<void*>(uintptr_t{0xabcd1234}));
  const bool wide = sizeof(void*) == 8;
  CHECK_EQ(m.log.count(wide ? ": 0x00000000abcd1234" : ": 0xabcd1234"), 1U);
  CHECK(m.reported("Call Trace:"));
}

QUARRY_TEST(Misuse, vmalloc_memory_is_no_object) {
  Machine m;
  void* area = m->vmalloc(3 * kPageBytes);
  REQUIRE(area != nullptr);
  m->kfree(area);
  CHECK(m.reported(kNotKmalloc));
  __builtin_memset(area, 1, 3 * kPageBytes);  // still mapped
  m->vfree(area);
}

QUARRY_TEST(Misuse, the_inside_of_a_large_block_is_no_object) {
  Machine m;
  auto* block = static_cast<unsigned char*>(m->kmalloc(8 * kPageBytes, gfp::kKernel));
  REQUIRE(block != nullptr);
  for (const size_t offset : {size_t{1}, size_t{64}, kPageBytes, 7 * kPageBytes + 8}) {
    m->kfree(block + offset);
    CHECK(m.reported(kNotKmalloc));
  }
  CHECK_EQ(m->ksize(block), 8 * kPageBytes);
  m->kfree(block);
}

QUARRY_TEST(Misuse, free_pages_are_no_object) {
  Machine m;
  void* block = m->get_free_pages(gfp::kKernel, Order{2});
  m->free_pages_at(block, Order{2});
  m->kfree(block);
  CHECK(m.reported(kNotKmalloc));
  m.give_back_all();
  m->kfree(block);  // in a free list now
  CHECK(m.reported(kNotKmalloc));
  CHECK(m.sound());
}

QUARRY_TEST(Misuse, reserved_memory_is_no_object) {
  Machine m;
  m->kfree(m->page_address(m->pfn_to_page(quarry::Pfn{0})));
  CHECK(m.reported(kNotKmalloc));
}

// As Linux 6.1 does: reported, and freed after all.
QUARRY_TEST(Misuse, a_page_of_the_page_allocator_is_reported_and_freed) {
  Machine m;
  Page* page = m->alloc_pages(gfp::kKernel, Order{0});
  REQUIRE(page != nullptr);
  m->kfree(m->page_address(page));
  CHECK(m.reported(kNotKmalloc));
  page = m->alloc_pages(gfp::kKernel | gfp::kComp, Order{3});
  REQUIRE(page != nullptr);
  m->kfree(m->page_address(page));
  CHECK(m.reported(kNotKmalloc));
}

// With any number of objects in the CPU's array before, in any of its states.
QUARRY_TEST(Misuse, twice_in_a_row_is_reported_whatever_the_array_holds) {
  for (const size_t bytes : {size_t{8}, size_t{64}, size_t{1024}, size_t{2048}, size_t{8192}}) {
    Machine m;
    void* probe = m->kmalloc(bytes, gfp::kKernel);
    const size_t capacity = MemorySystem::cache_info(*m->cache_of(probe)).array_capacity;
    m->kfree(probe);
    constexpr size_t kMost = 400;
    void* objects[kMost];
    const size_t most = 3 * capacity + 2;
    REQUIRE(most <= kMost);
    for (size_t count = 1; count <= most; ++count) {
      for (size_t i = 0; i != count; ++i) objects[i] = m->kmalloc(bytes, gfp::kKernel);
      CHECK(all_different(objects, count));
      for (size_t i = 0; i != count; ++i) m->kfree(objects[i]);
      m->kfree(objects[count - 1]);
      CHECK(reported_free_already(m));
      CHECK(m.sound());
    }
  }
}

QUARRY_TEST(Misuse, twice_in_a_row_is_reported_by_cache_and_object) {
  Machine m;
  KmemCache* cache = m->cache_create("ring_buffer", 100);
  REQUIRE(cache != nullptr);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  m->cache_free(cache, object);
  m->cache_free(cache, object);
  quarry::FixedText<64> line;
  format(line, "Object 0x%p @offset=", object);
  CHECK_EQ(m.log.count("BUG ring_buffer (Not tainted): Object already free"), 1U);
  CHECK(m.reported(line.c_str()));
  void* both[2] = {m->cache_alloc(cache, gfp::kKernel), m->cache_alloc(cache, gfp::kKernel)};
  CHECK(both[0] != both[1]);
  for (void* one : both) m->cache_free(cache, one);
  m->cache_destroy(cache);
}

QUARRY_TEST(Misuse, twice_in_a_row_is_reported_without_arrays) {
  Machine m;
  // Any active parameters turn the arrays off; these never make a request fail.
  m.core().kmem.set_fault_parameters({.probability = 100, .space = ~uint64_t{0}});
  void* kept = m->kmalloc(500, gfp::kKernel);
  void* object = m->kmalloc(500, gfp::kKernel);
  m->kfree(object);
  m->kfree(object);
  CHECK(reported_free_already(m));
  m->kfree(kept);
  m->kfree(kept);
  CHECK(reported_free_already(m));
  m.give_back_all();
  m->kfree(kept);  // its slab is gone
  CHECK(m.reported(kNotKmalloc));
}

QUARRY_TEST(Misuse, twice_in_a_row_is_reported_on_another_node) {
  Machine m{.nodes = 2, .cpus = 2};
  void* kept = m->kmalloc_node(64, gfp::kKernel, quarry::NodeId{1});
  void* object = m->kmalloc_node(64, gfp::kKernel, quarry::NodeId{1});
  m->kfree(object);
  m->kfree(object);
  CHECK(reported_free_already(m));
  m->kfree(kept);
}

QUARRY_TEST(Misuse, twice_in_a_row_is_reported_in_bulk) {
  Machine m;
  void* objects[4];
  for (void*& object : objects) object = m->kmalloc(64, gfp::kKernel);
  void* twice[] = {objects[0], objects[1], objects[1], objects[2]};
  m->cache_free_bulk(nullptr, twice);
  CHECK(reported_free_already(m));
  void* again[] = {objects[2], objects[3]};
  m->cache_free_bulk(nullptr, again);
  CHECK(reported_free_already(m));
  void* given[4];
  for (void*& object : given) object = m->kmalloc(64, gfp::kKernel);
  CHECK(all_different(given, 4));
  for (void* object : given) m->kfree(object);
}

QUARRY_TEST(Misuse, the_wrong_cache_is_reported_and_the_right_one_gets_the_object) {
  Machine m;
  KmemCache* mine = m->cache_create("mine", 200);
  KmemCache* other = m->cache_create("other", 200);
  REQUIRE(mine != nullptr && other != nullptr);
  void* object = m->cache_alloc(mine, gfp::kKernel);
  m->cache_free(other, object);
  CHECK(m.reported("cache_from_obj: Wrong slab cache. other but object is from mine"));
  m->cache_destroy(mine);  // says nothing: the object came home
  void* page = m->get_free_pages(gfp::kKernel, Order{0});
  m->cache_free(other, page);
  CHECK(m.reported("is not a slab object"));
  m->free_pages_at(page, Order{0});  // it was left alone
  m->cache_free(other, nullptr);
  m->cache_destroy(other);
}

// Where there is no array, a free object holds its slab's links: they are not cleared.
QUARRY_TEST(Misuse, clearing_a_free_object_harms_nothing) {
  Machine m{.failslab = {.interval = 1000000, .probability = 1, .times = -1}};
  void* kept = m->kmalloc(64, gfp::kKernel);
  void* secret = m->kmalloc(64, gfp::kKernel);
  REQUIRE(kept != nullptr && secret != nullptr);
  m->kfree_sensitive(secret);
  m->kfree_sensitive(secret);
  CHECK(reported_free_already(m));
  void* again[64];
  for (void*& object : again) object = m->kmalloc(64, gfp::kKernel);
  for (void* object : again) m->kfree(object);
  m->kfree(kept);
}

// A write of zeros into a free object cuts its slab's list off.
QUARRY_TEST(Misuse, a_cut_free_list_is_isolated) {
  harness::MachinePlatform platform;
  quarry::MemorySystem system;
  harness::Log log;
  REQUIRE(harness::open_platform(platform, {.log = &log}) == nullptr);
  REQUIRE(
      system.boot(platform, {.failslab = {.interval = 1000000, .probability = 1, .times = -1}}));
  void* first = system.kmalloc(64, gfp::kKernel);
  void* second = system.kmalloc(64, gfp::kKernel);
  REQUIRE(first != nullptr && second != nullptr);
  system.kfree(first);
  system.kfree(second);
  __builtin_memset(second, 0, 64);  // the use after free
  for (int i = 0; i != 200; ++i) CHECK(system.kmalloc(64, gfp::kKernel) != nullptr);
  CHECK_EQ(log.count("BUG kmalloc-64 (Not tainted): Freechain corrupt"), 1U);
  CHECK(system.shutdown() != 0);
}

QUARRY_TEST(Misuse, krealloc_of_what_kmalloc_did_not_give) {
  Machine m;
  int local = 0;
  CHECK(m->krealloc(&local, 100, gfp::kKernel) == nullptr);
  CHECK(m.reported("krealloc of what kmalloc did not give"));
}

QUARRY_TEST(Misuse, a_destroyed_cache_is_not_destroyed_again) {
  Machine m;
  KmemCache* cache = m->cache_create("mine", 200);
  REQUIRE(cache != nullptr);
  m->cache_destroy(cache);
  m->cache_destroy(cache);
  CHECK(m.reported("destroyed already"));
}

// kfree() takes an object of any cache (Linux, since SLOB went).
QUARRY_TEST(Misuse, kfree_of_a_cache_object_is_none) {
  Machine m;
  KmemCache* cache = m->cache_create("mine", 200);
  REQUIRE(cache != nullptr);
  m->kfree(m->cache_alloc(cache, gfp::kKernel));
  m->cache_destroy(cache);
}

}  // namespace
