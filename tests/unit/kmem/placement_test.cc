// SPDX-License-Identifier: MIT
// Where objects come from: node, zone and migrate type; and what slabs do when blocks of their
// preferred order are gone.
#include "machine.h"
#include "support/zones.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::kMiB;
using quarry::MemorySystem;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

constexpr unsigned kDma = 0;
constexpr auto kAboveDma = static_cast<unsigned>(harness::kAboveDma);

unsigned node_of(Machine& m, const void* object) {
  return static_cast<unsigned>(m->page_node(m->virt_to_page(object)).value());
}
unsigned zone_of(Machine& m, const void* object) { return m->page_zone(m->virt_to_page(object)); }

QUARRY_TEST(Placement, each_cpu_gets_memory_of_its_node) {
  Machine m{.nodes = 2, .cpus = 4};
  for (unsigned cpu = 0; cpu != 4; ++cpu) {
    m.on_cpu(cpu);
    for (const size_t bytes : {size_t{32}, size_t{1000}, size_t{8192}, size_t{40000}}) {
      void* object = m->kmalloc(bytes, gfp::kKernel);
      CHECK_EQ(node_of(m, object), cpu % 2);
      m->kfree(object);
    }
  }
}

QUARRY_TEST(Placement, kmalloc_node_gives_memory_of_that_node) {
  Machine m{.nodes = 4, .mib = 64, .cpus = 4};
  void* objects[100];
  for (const size_t bytes : {size_t{64}, size_t{2048}, size_t{20000}}) {
    for (size_t i = 0; i != 100; ++i) {
      objects[i] = m->kmalloc_node(bytes, gfp::kKernel, NodeId(i % 4));
      CHECK_EQ(node_of(m, objects[i]), i % 4);
    }
    for (void* object : objects) m->kfree(object);
  }
}

QUARRY_TEST(Placement, a_remote_free_goes_home) {
  Machine m{.nodes = 2, .cpus = 2};
  KmemCache* cache = m->cache_create("remote", 64);
  REQUIRE(cache != nullptr);
  void* objects[200];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  CHECK_EQ(node_of(m, objects[199]), 0U);
  m.on_cpu(1);
  for (void* object : objects) m->cache_free(cache, object);
  // None of them waits in an array of the other node.
  for (size_t i = 0; i != 200; ++i) {
    objects[i] = m->cache_alloc(cache, gfp::kKernel);
    CHECK_EQ(node_of(m, objects[i]), 1U);
  }
  m->cache_free_bulk(cache, objects);
  m->cache_destroy(cache);
}

QUARRY_TEST(Placement, a_node_that_does_not_exist_is_ignored) {
  Machine m{.nodes = 2, .cpus = 2};
  for (const int node : {2, 31, 32000, -7}) {
    void* object = m->kmalloc_node(64, gfp::kKernel, NodeId(node));
    REQUIRE(object != nullptr);
    CHECK_EQ(node_of(m, object), 0U);
    m->kfree(object);
  }
}

// All of a node but what slabs have, and the reserves if `bits` do not allow them.
size_t fill_node(Machine& m, NodeId node, quarry::Gfp bits, Page** pages, size_t most) {
  size_t count = 0;
  while (count != most) {
    Page* page = m->alloc_pages(bits | gfp::kThisNode | gfp::kNoWarn, Order{0}, node);
    if (page == nullptr) break;
    pages[count++] = page;
  }
  return count;
}

QUARRY_TEST(Placement, a_full_node_falls_back_to_another) {
  Machine m{.nodes = 2, .mib = 32, .cpus = 2};
  static Page* pages[8192];
  const size_t count = fill_node(m, NodeId{1}, gfp::kAtomic, pages, std::size(pages));
  CHECK(count > 2000 && count < std::size(pages));

  void* object = m->kmalloc_node(64, gfp::kKernel, NodeId{1});
  REQUIRE(object != nullptr);
  CHECK_EQ(node_of(m, object), 0U);
  m->kfree(object);
  CHECK(m->kmalloc_node(64, gfp::kKernel | gfp::kThisNode | gfp::kNoWarn, NodeId{1}) == nullptr);
  CHECK(m.log.empty());
  CHECK(m->kmalloc_node(64, gfp::kKernel | gfp::kThisNode, NodeId{1}) == nullptr);
  // SLAB asks for pages of one node without effort and without complaint, whoever wants them.
  if (m.engine == quarry::SlabEngineKind::kSlub) {
    CHECK_EQ(m.log.count("SLUB: Unable to allocate memory on node 1"), 1U);
    CHECK(m.reported("cache: kmalloc-64"));
  }

  // A wish that cannot be met costs no slab each time, but one time in 42: what Linux calls
  // remote_node_defrag_ratio lets new slabs be made although other nodes have partial ones.
  void* objects[1000];
  const uint64_t before = m->slab_page_count();
  for (void*& wished : objects) {
    wished = m->kmalloc_node(64, gfp::kKernel, NodeId{1});
    REQUIRE(wished != nullptr);
  }
  CHECK(m->slab_page_count() - before < 1000 / 64 + 16 + 1000 / 21);
  for (void* wished : objects) m->kfree(wished);
  for (size_t i = 0; i != count; ++i) m->free_pages(pages[i], Order{0});
}

QUARRY_TEST(Placement, dma_objects_lie_in_zone_dma) {
  Machine m{.mib = 64};
  for (const size_t bytes : {size_t{8}, size_t{96}, size_t{4096}, size_t{8192}, size_t{65536}}) {
    void* object = m->kmalloc(bytes, gfp::kKernel | gfp::kDma);
    REQUIRE(object != nullptr);
    CHECK_EQ(zone_of(m, object), kDma);
    if (bytes <= 8192) {
      const CacheInfo info = MemorySystem::cache_info(*m->cache_of(object));
      CHECK(harness::find_text(info.name, "dma-kmalloc-") == info.name);
    }
    m->kfree(object);
    void* ordinary = m->kmalloc(bytes, gfp::kKernel);
    CHECK_EQ(zone_of(m, ordinary), kAboveDma);
    m->kfree(ordinary);
  }
}

QUARRY_TEST(Placement, cache_flags_name_the_zone) {
  Machine m;
  KmemCache* dma = m->cache_create("dma", 100, {.flags = QUARRY_SLAB_CACHE_DMA});
  KmemCache* dma32 = m->cache_create("dma32", 100, {.flags = QUARRY_SLAB_CACHE_DMA32});
  REQUIRE(dma != nullptr && dma32 != nullptr);
  void* objects[] = {m->cache_alloc(dma, gfp::kKernel), m->cache_alloc(dma32, gfp::kKernel)};
  CHECK_EQ(zone_of(m, objects[0]), kDma);
  CHECK_EQ(zone_of(m, objects[1]), kAboveDma);
  CHECK(m.log.empty());
  m->cache_free_bulk(nullptr, objects);
  m->cache_destroy(dma);
  m->cache_destroy(dma32);
}

QUARRY_TEST(Placement, dma_is_stronger_than_reclaimable_and_that_than_account) {
  Machine m;
  struct {
    quarry::Gfp bits;
    const char* name;
    quarry::MigrateType type;
  } const rows[] = {
      {quarry::Gfp{}, "kmalloc-512", quarry::MigrateType::kUnmovable},
      {gfp::kReclaimable, "kmalloc-rcl-512", quarry::MigrateType::kReclaimable},
      {gfp::kDma, "dma-kmalloc-512", quarry::MigrateType::kUnmovable},
      {gfp::kDma | gfp::kReclaimable, "dma-kmalloc-512", quarry::MigrateType::kUnmovable},
      {gfp::kAccount, "kmalloc-cg-512", quarry::MigrateType::kUnmovable},
      {gfp::kAccount | gfp::kReclaimable, "kmalloc-rcl-512", quarry::MigrateType::kReclaimable},
      {gfp::kAccount | gfp::kDma, "dma-kmalloc-512", quarry::MigrateType::kUnmovable}};
  for (const auto& row : rows) {
    void* object = m->kmalloc(512, gfp::kKernel | row.bits);
    REQUIRE(object != nullptr);
    CHECK_TEXT(MemorySystem::cache_info(*m->cache_of(object)).name, row.name);
    const quarry::PageMap& map = m.core().map;
    CHECK_EQ(map.migratetype(map.pfn_of(object)), row.type);
    m->kfree(object);
  }
}

// Takes all memory in single pages and gives every second one back: no block of order 1 is left.
QUARRY_TEST(Placement, slabs_shrink_to_the_smallest_order_in_fragmented_memory) {
  Machine m{.mib = 32, .cpus = 4, .engine = quarry::SlabEngineKind::kSlub};
  static Page* pages[8192];
  void* object = m->kmalloc(2048, gfp::kKernel);
  KmemCache* cache = m->cache_of(object);
  CHECK_EQ(MemorySystem::cache_info(*cache).pages_per_slab, 8U);
  m->kfree(object);
  m.give_back_all();
  const size_t count = fill_node(m, NodeId{0}, gfp::kMemalloc, pages, std::size(pages));
  size_t kept = 0;
  for (size_t i = 0; i != count; ++i) {
    if (m->page_to_pfn(pages[i]).value() % 2 == 0) {
      m->free_pages(pages[i], Order{0});
    } else {
      pages[kept++] = pages[i];
    }
  }
  void* objects[100];
  for (void*& one : objects) {
    one = m->kmalloc(2048, gfp::kKernel);
    REQUIRE(one != nullptr);
    __builtin_memset(one, 0x33, 2048);
  }
  CacheInfo info = MemorySystem::cache_info(*cache);
  CHECK_EQ(info.slab_pages, info.slabs);
  CHECK_EQ(info.total_objects, info.slabs * 2);
  CHECK(m->kmalloc(8192, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK(m.log.empty());  // falling back is no failure
  for (void* one : objects) m->kfree(one);
  for (size_t i = 0; i != kept; ++i) m->free_pages(pages[i], Order{0});
}

}  // namespace
