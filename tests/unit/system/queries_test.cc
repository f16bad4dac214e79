// SPDX-License-Identifier: MIT
// The calls that look: caches, free blocks, sums.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::FreeBlock;
using quarry::KmemCache;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

QUARRY_TEST(Queries, caches_come_in_order_of_creation) {
  Machine m;
  KmemCache* first = m->cache_create("first", 10);
  KmemCache* second = m->cache_create("second", 20);
  m->cache_destroy(first);
  KmemCache* third = m->cache_create("third", 30);  // in the first one's place of the table
  struct Seen {
    size_t count = 0;
    CacheInfo infos[80];
  } seen;
  m->for_each_cache(
      [](void* context, const CacheInfo& info) {
        auto& all = *static_cast<Seen*>(context);
        all.infos[all.count++] = info;
      },
      &seen);
  REQUIRE_EQ(seen.count, 54U);
  CHECK_TEXT(seen.infos[0].name, "kmalloc-8");
  CHECK_TEXT(seen.infos[12].name, "kmalloc-8k");
  CHECK_TEXT(seen.infos[13].name, "kmalloc-rcl-8");
  CHECK_TEXT(seen.infos[38].name, "dma-kmalloc-8k");
  CHECK_TEXT(seen.infos[51].name, "kmalloc-cg-8k");
  CHECK_TEXT(seen.infos[52].name, "second");
  CHECK_TEXT(seen.infos[53].name, "third");
  for (size_t i = 0; i != seen.count; ++i) {
    CHECK(seen.infos[i].number != 0);
    CHECK(seen.infos[i].size >= seen.infos[i].object_size);
    CHECK(seen.infos[i].array_capacity >= 2);
    for (size_t k = 0; k != i; ++k) CHECK(seen.infos[i].number != seen.infos[k].number);
  }
  m->cache_destroy(second);
  m->cache_destroy(third);
}

struct Walk {
  uint64_t pages = 0;
  size_t blocks = 0;
  size_t wrong = 0;
  uint32_t before = 0;  // node, zone, order and type of the block before
};

void look(void* context, const FreeBlock& block) {
  auto& walk = *static_cast<Walk*>(context);
  const uint32_t key = static_cast<uint32_t>(block.node.value()) << 24 |
                       uint32_t{block.zone} << 16 | uint32_t{block.order.value()} << 8 |
                       block.migrate_type;
  if (key < walk.before || !block.pfn.is_aligned(block.order)) ++walk.wrong;
  walk.before = key;
  walk.pages += block.order.pages();
  ++walk.blocks;
}

QUARRY_TEST(Queries, free_blocks_are_all_that_is_free) {
  Machine m{.nodes = 2, .cpus = 2};
  Page* pages[200];
  for (Page*& page : pages) page = m->alloc_pages(gfp::kKernel, Order{0});
  for (size_t i = 0; i != 200; i += 2) m->put_page(pages[i]);
  m->drain_all();
  Walk walk;
  m->for_each_free_block(look, &walk);
  CHECK_EQ(walk.wrong, 0U);
  CHECK_EQ(walk.pages, m->free_page_count());
  CHECK(walk.blocks > 100);
  for (size_t i = 1; i < 200; i += 2) m->put_page(pages[i]);
}

QUARRY_TEST(Queries, sums_follow_what_is_allocated) {
  Machine m{.nodes = 3, .mib = 96, .cpus = 3};
  CHECK_EQ(m->node_count(), 3U);
  CHECK(&m->platform() == &m.platform);
  const uint64_t free_before = m->free_page_count();
  void* area = m->vmalloc(40 * 4096);
  CHECK_EQ(m->vmalloc_page_count(), 40U);
  void* object = m->kmalloc(8192, gfp::kKernel);
  CHECK(m->slab_page_count() >= m.idle_slab_pages + 2);
  CHECK_EQ(m->free_page_count(), free_before - 40 - (m->slab_page_count() - m.idle_slab_pages));
  m->kfree(object);
  m->vfree(area);
  CHECK_EQ(m->vmalloc_page_count(), 0U);
}

}  // namespace
