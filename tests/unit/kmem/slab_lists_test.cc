// SPDX-License-Identifier: MIT
// The way of objects through SLAB's arrays and lists.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::MemorySystem;
using quarry::NodeId;
using quarry::SlabCounts;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

SlabCounts counts(Machine& m, const KmemCache* cache) { return m.core().kmem.counts(*cache); }

size_t free_in_slabs(Machine& m, const KmemCache* cache) {
  return counts(m, cache).free_in_partial;
}

template <size_t kCount>
struct Objects {
  void* at[kCount] = {};

  void take(Machine& m, KmemCache* cache) {
    for (void*& object : at) object = m->cache_alloc(cache, gfp::kKernel);
  }
  void give(Machine& m, KmemCache* cache) {
    for (void* object : at) m->cache_free(cache, object);
  }
};

// limit 120, batchcount 60: the 121st free sends the 60 that came first to the shared array.
QUARRY_TEST(SlabLists, a_full_array_gives_its_oldest_to_the_shared_one) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("flow", 64);
  Objects<128> objects;
  objects.take(m, cache);
  for (unsigned i = 0; i != 120; ++i) m->cache_free(cache, objects.at[i]);
  // Eight of a batch of 60 are in the array besides.
  const size_t waiting = MemorySystem::cache_info(*cache).cached_objects;
  CHECK_EQ(counts(m, cache).shared_objects, waiting > 120 ? 60U : 0U);
  for (unsigned i = 120; i != 128; ++i) m->cache_free(cache, objects.at[i]);
  CHECK_EQ(counts(m, cache).shared_objects, 60U);
  // What was freed last is on top.
  for (unsigned i = 128; i-- != 100;) {
    CHECK(m->cache_alloc(cache, gfp::kKernel) == objects.at[i]);
  }
  for (unsigned i = 100; i != 128; ++i) m->cache_free(cache, objects.at[i]);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabLists, another_cpu_of_the_node_takes_from_the_shared_array) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("flow", 64);
  Objects<200> objects;
  objects.take(m, cache);
  objects.give(m, cache);
  const size_t shared = counts(m, cache).shared_objects;
  CHECK(shared >= 60);
  const size_t slabs = counts(m, cache).slabs;
  m.on_cpu(1);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  // 16 at first, because its array was not touched before; then batches.
  CHECK_EQ(counts(m, cache).shared_objects, shared - 16);
  void* more[16];
  for (void*& one : more) one = m->cache_alloc(cache, gfp::kKernel);
  CHECK_EQ(counts(m, cache).shared_objects, shared >= 76 ? shared - 76 : 0);
  CHECK_EQ(counts(m, cache).slabs, slabs);
  m->cache_free(cache, object);
  for (void* one : more) m->cache_free(cache, one);
  m->cache_destroy(cache);
}

// 12 wait; the 13th sends them to the shared array of their node.
QUARRY_TEST(SlabLists, objects_of_another_node_wait_for_company) {
  Machine m{.nodes = 2, .cpus = 4, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("alien", 64);
  Objects<26> objects;
  objects.take(m, cache);
  m.on_cpu(1);
  for (unsigned i = 0; i != 26; ++i) {
    m->cache_free(cache, objects.at[i]);
    CHECK_EQ(counts(m, cache).alien_objects, i % 12 + 1);
    CHECK_EQ(counts(m, cache).shared_objects, i / 12 * 12);
  }
  CHECK(m.sound());
  // The owner's other CPU gets them.
  m.on_cpu(2);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  CHECK(object == objects.at[23]);
  CHECK_EQ(counts(m, cache).shared_objects, 8U);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabLists, noaliencache_sends_them_straight_to_their_slabs) {
  Machine m{.nodes = 2,
            .cpus = 2,
            .engine = SlabEngineKind::kSlab,
            .configure = [](quarry::Config& config) { config.no_alien_cache = true; }};
  KmemCache* cache = m->cache_create("alien", 64);
  Objects<26> objects;
  objects.take(m, cache);
  const size_t before = free_in_slabs(m, cache);
  m.on_cpu(1);
  objects.give(m, cache);
  CHECK_EQ(counts(m, cache).alien_objects, 0U);
  CHECK_EQ(counts(m, cache).shared_objects, 0U);
  CHECK_EQ(free_in_slabs(m, cache), before + 26);
  m->cache_destroy(cache);
}

// What alien arrays cannot put into the shared one of the owner goes into slabs.
QUARRY_TEST(SlabLists, a_full_shared_array_overflows_into_slabs) {
  Machine m{.nodes = 2, .cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("alien", 64);
  static Objects<700> objects;
  objects.take(m, cache);
  const size_t before = free_in_slabs(m, cache);
  m.on_cpu(1);
  objects.give(m, cache);
  // 58 times 12 came out of the alien array, 480 found room; two slabs were given back, because
  // their node has more than (1 + 1) * 60 + 64 free objects in its shared array.
  CHECK_EQ(counts(m, cache).alien_objects, 4U);
  CHECK_EQ(counts(m, cache).shared_objects, 480U);
  CHECK_EQ(free_in_slabs(m, cache), before + 58 * 12 - 480 - 2 * 64);
  CHECK(m.sound());
  m->cache_destroy(cache);
}

// The first slab of a node has colour 1; the last colour is followed by 0.
QUARRY_TEST(SlabLists, slabs_take_the_colours_of_their_node_in_turn) {
  Machine m{.nodes = 2, .cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("colour", 3800);  // one in a page, 4 colours
  unsigned next[2] = {0, 0};
  void* objects[20];
  for (unsigned i = 0; i != 20; ++i) {
    const auto node = i % 3 == 0 ? 1 : 0;
    objects[i] = m->cache_alloc_node(cache, gfp::kKernel, NodeId(node));
    REQUIRE(objects[i] != nullptr);
    if (m->page_node(m->virt_to_page(objects[i])) != NodeId(node)) continue;
    next[node] = (next[node] + 1) % 4;
    CHECK_EQ(reinterpret_cast<uintptr_t>(objects[i]) % kPageBytes, next[node] * 64);
  }
  m->cache_free_bulk(cache, objects);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabLists, hands_out_objects_in_the_order_of_their_addresses) {
  Machine m{.engine = SlabEngineKind::kSlab};
  // 100 bytes: no array would change the order of the first batch but by turning it round.
  KmemCache* cache = m->cache_create("order", 1024);
  void* batch[4];
  REQUIRE(m->cache_alloc_bulk(cache, gfp::kKernel, batch) == 4);
  for (unsigned i = 1; i != 4; ++i) {
    CHECK_EQ(static_cast<char*>(batch[i]) - static_cast<char*>(batch[i - 1]), 1024);
  }
  m->cache_free_bulk(cache, batch);
  m->cache_destroy(cache);
}

// (1 + CPUs of the node) * batchcount + objects of a slab, here (1 + 1) * 60 + 16.
QUARRY_TEST(SlabLists, free_slabs_beyond_the_limit_are_given_back) {
  Machine m{.cpus = 1, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("limit", 256);
  static Objects<3200> objects;
  objects.take(m, cache);
  CHECK(counts(m, cache).slabs >= 200);
  objects.give(m, cache);
  const SlabCounts after = counts(m, cache);
  CHECK(after.free_in_partial <= 136);
  CHECK(after.free_slabs != 0 && after.free_slabs <= 136 / 16);
  CHECK(after.slabs <= (136 + 120) / 16 + 40);
  CHECK(m.sound());
  // A slab of kept ones serves before a new one is made.
  m->cache_destroy(cache);
}

// 480 free objects in the shared array are more than the limit of (1 + 2) * 60 + 16.
QUARRY_TEST(SlabLists, what_the_shared_array_has_needs_no_free_slabs) {
  Machine m{.cpus = 2, .engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("limit", 256);
  static Objects<3200> objects;
  objects.take(m, cache);
  objects.give(m, cache);
  CHECK_EQ(counts(m, cache).shared_objects, 480U);
  CHECK_EQ(counts(m, cache).free_slabs, 0U);
  CHECK(m.sound());
  m->cache_destroy(cache);
}

// kmalloc-8 and kmalloc-16 do not exist; their requests get objects of kmalloc-32.
QUARRY_TEST(SlabLists, kmalloc_begins_at_32) {
  Machine m{.engine = SlabEngineKind::kSlab};
  void* objects[3] = {m->kmalloc(1, gfp::kKernel), m->kmalloc(16, gfp::kKernel),
                      m->kmalloc(32, gfp::kKernel)};
  for (void* object : objects) {
    CHECK_TEXT(MemorySystem::cache_info(*m->cache_of(object)).name, "kmalloc-32");
    CHECK_EQ(m->ksize(object), 32U);
  }
  CHECK(m->cache_of(objects[0]) == m->cache_of(objects[2]));
  CHECK_EQ(m->kmalloc_size_roundup(3), 32U);
  CHECK_EQ(m->kmalloc_size_roundup(33), 64U);
  void* dma = m->kmalloc(5, gfp::kKernel | gfp::kDma);
  CHECK_TEXT(MemorySystem::cache_info(*m->cache_of(dma)).name, "dma-kmalloc-32");
  m->kfree(dma);
  for (void* object : objects) m->kfree(object);
  m->for_each_cache([](void*, const quarry::CacheInfo& info) { CHECK(info.object_size >= 32); },
                    nullptr);
}

// A list in an object of kmalloc comes and goes with its slab.
QUARRY_TEST(SlabLists, lists_off_the_slab_are_freed_with_it) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("off", 512, {.ctor = [](void*) {}});
  static Objects<400> objects;
  objects.take(m, cache);
  CHECK(counts(m, cache).slabs >= 50);
  objects.give(m, cache);
  m->cache_destroy(cache);  // the machine's end counts what is left of kmalloc
}

// Every slab of a full cache: the list that lay in its last object has no place until one is freed.
QUARRY_TEST(SlabLists, a_list_in_an_object_is_written_anew) {
  Machine m{.engine = SlabEngineKind::kSlab};
  m.core().kmem.set_fault_parameters({.probability = 100, .space = ~uint64_t{0}});
  KmemCache* cache = m->cache_create("in_object", 256);
  void* objects[16];
  for (void*& object : objects) {
    object = m->cache_alloc(cache, gfp::kKernel);
    __builtin_memset(object, 0xff, 256);
  }
  CHECK_EQ(counts(m, cache).slabs, 1U);
  for (const unsigned first : {7U, 0U, 15U}) {
    for (unsigned i = 0; i != 16; ++i) m->cache_free(cache, objects[(first + i) % 16]);
    CHECK(m.sound());
    // Last in, first out.
    for (unsigned i = 16; i-- != 0;) {
      void* object = m->cache_alloc(cache, gfp::kKernel);
      CHECK(object == objects[(first + i) % 16]);
      __builtin_memset(object, 0xff, 256);
    }
  }
  for (void* object : objects) m->cache_free(cache, object);
  m->cache_destroy(cache);
  m.core().kmem.set_fault_parameters({});
}

}  // namespace
