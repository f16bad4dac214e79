// SPDX-License-Identifier: MIT
// Memory that readers may still look at: slabs whose pages stay, and frees that wait.
#include "quarry/rcu.h"

#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::RcuHead;
using quarry::RcuReadGuard;
namespace gfp = quarry::gfp;

constexpr uint64_t kSecond = 1'000'000'000;

constexpr quarry::CacheOptions kTypesafe{.flags = QUARRY_SLAB_TYPESAFE_BY_RCU};
constexpr size_t kBytes = 500;  // eight in a page

QUARRY_TEST(RcuSlab, a_reader_keeps_the_pages_of_freed_objects) {
  Machine m;
  KmemCache* cache = m->cache_create("typesafe", kBytes, kTypesafe);
  REQUIRE(cache != nullptr);
  const uint64_t free_before = m->free_page_count();
  constexpr size_t kCount = 32;
  unsigned char* objects[kCount];
  for (unsigned char*& object : objects) {
    object = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
    REQUIRE(object != nullptr);
    __builtin_memset(object, 0x3c, kBytes);
  }
  const uint64_t free_in_use = m->free_page_count();
  {
    const RcuReadGuard reader(m.system);
    for (unsigned char* object : objects) m->cache_free(cache, object);
    m->cache_shrink(cache);
    CHECK(m->step() != quarry::BackgroundWork::kNever);
    // The slabs are gone, their pages are nobody else's yet, and every byte is what it was.
    CHECK_EQ(MemorySystem::cache_info(*cache).slabs, 0U);
    CHECK_EQ(m->free_page_count(), free_in_use);
    for (const unsigned char* object : objects) {
      CHECK(m->cache_of(object) == cache);
      for (size_t i = 0; i != kBytes; ++i) REQUIRE_EQ(object[i], 0x3c);
    }
    // An allocation meanwhile takes other pages.
    auto* other = static_cast<unsigned char*>(m->get_free_pages(gfp::kAtomic, quarry::Order(0)));
    REQUIRE(other != nullptr);
    __builtin_memset(other, 0xff, 4096);
    for (const unsigned char* object : objects) CHECK_EQ(object[7], 0x3c);
    m->free_pages_at(other, quarry::Order(0));
  }
  CHECK(m->step() > kSecond);  // at most SLAB's reaper is waited for
  CHECK_EQ(m->free_page_count(), free_before);
  CHECK(m->cache_of(objects[0]) == nullptr);
  m->cache_destroy(cache);
}

QUARRY_TEST(RcuSlab, objects_are_reused_at_once) {
  Machine m;
  KmemCache* cache = m->cache_create("typesafe", kBytes, kTypesafe);
  REQUIRE(cache != nullptr);
  {
    const RcuReadGuard reader(m.system);
    void* object = m->cache_alloc(cache, gfp::kAtomic);
    REQUIRE(object != nullptr);
    m->cache_free(cache, object);
    CHECK(m->cache_alloc(cache, gfp::kAtomic) == object);
    m->cache_free(cache, object);
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(RcuSlab, other_caches_give_their_pages_back_at_once) {
  Machine m;
  KmemCache* cache = m->cache_create("plain", kBytes);
  REQUIRE(cache != nullptr);
  const uint64_t free_before = m->free_page_count();
  void* object = m->cache_alloc(cache, gfp::kKernel);
  {
    const RcuReadGuard reader(m.system);
    m->cache_free(cache, object);
    m->cache_shrink(cache);
    CHECK_EQ(m->free_page_count(), free_before);
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(RcuSlab, destroy_waits_for_the_pages) {
  Machine m;
  const uint64_t free_before = m->free_page_count();
  KmemCache* cache = m->cache_create("typesafe", kBytes, kTypesafe);
  REQUIRE(cache != nullptr);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  REQUIRE(object != nullptr);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
  CHECK(m->cache_of(object) == nullptr);
  m.give_back_all();
  CHECK_EQ(m->free_page_count(), free_before);
}

struct Node {
  unsigned char before[100];
  RcuHead head;
  unsigned char after[100];
};

QUARRY_TEST(RcuFree, memory_is_freed_when_readers_are_gone) {
  Machine m;
  auto* node = static_cast<Node*>(m->kmalloc(sizeof(Node), gfp::kKernel));
  auto* large = static_cast<Node*>(m->kmalloc(100'000, gfp::kKernel));
  auto* area = static_cast<Node*>(m->vmalloc(100'000));
  REQUIRE(node != nullptr && large != nullptr && area != nullptr);
  node->before[3] = node->after[3] = 0x11;
  const uint64_t pages = m->vmalloc_page_count();
  const uint64_t free_pages = m->free_page_count();
  {
    const RcuReadGuard reader(m.system);
    for (Node* memory : {node, large, area}) m->kvfree_deferred(&memory->head, memory);
    m->step();
    CHECK_EQ(node->before[3] & node->after[3], 0x11);
    CHECK_EQ(m->vmalloc_page_count(), pages);
    CHECK_EQ(m->free_page_count(), free_pages);
  }
  m->rcu_barrier();
  CHECK_EQ(m->vmalloc_page_count(), 0U);
  CHECK(m->free_page_count() > free_pages);
}

QUARRY_TEST(RcuFree, memory_without_a_head) {
  Machine m;
  for (void* memory : {m->kmalloc(40, gfp::kKernel), m->vmalloc(9000), quarry::kZeroSizePtr,
                       static_cast<void*>(nullptr)}) {
    m->kvfree_deferred(memory);
  }
  m->rcu_barrier();
  // Where there is no memory for a head, it waits.
  void* memory = m->kmalloc(40, gfp::kKernel);
  m.core().kmem.set_fault_parameters({.probability = 100, .times = -1, .ignore_gfp_wait = false});
  m->kvfree_deferred(memory);
  m.core().kmem.set_fault_parameters({});
  CHECK(m->step() > kSecond);  // at most SLAB's reaper is waited for
  m.reported("FAULT_INJECTION");
}

QUARRY_TEST(RcuFree, functions_run_in_order) {
  Machine m;
  struct Entry {
    RcuHead head;
    unsigned* order;
    unsigned place;
  } entries[5];
  unsigned order = 0;
  for (Entry& entry : entries) {
    entry.order = &order;
    m->call_rcu(&entry.head, [](RcuHead* head) {
      auto* const self = reinterpret_cast<Entry*>(head);
      self->place = (*self->order)++;
    });
  }
  m->synchronize_rcu();
  for (unsigned i = 0; i != 5; ++i) CHECK_EQ(entries[i].place, i);
}

QUARRY_TEST(RcuFree, sleeping_in_a_section_is_reported) {
  Machine m;
  const RcuReadGuard reader(m.system);
  void* object = m->kmalloc(64, gfp::kKernel);
  CHECK(m.log.count("RCU nest depth: 1, expected: 0") == 1);
  CHECK(m.reported("BUG: sleeping function called from invalid context"));
  m->kfree(object);
  m->kfree(m->kmalloc(64, gfp::kAtomic));
  m->synchronize_rcu();
  CHECK(m.reported("Illegal synchronize_rcu() in RCU read-side critical section"));
}

QUARRY_TEST(RcuFree, shutdown_runs_what_waits) {
  Machine m;
  for (int i = 0; i != 100; ++i) {
    auto* node = static_cast<Node*>(m->kmalloc(sizeof(Node), gfp::kKernel));
    REQUIRE(node != nullptr);
    m->kvfree_deferred(&node->head, node);
  }
  CHECK_EQ(m.system.shutdown(), 0U);
  m.booted = false;
}

}  // namespace
