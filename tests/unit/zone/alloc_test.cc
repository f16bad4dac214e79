// SPDX-License-Identifier: MIT
#include "gfp/memalloc_scope.h"
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kBelowNormalBytes;
using harness::kDmaBytes;
using harness::kNormalStart;
using harness::PageChain;
using harness::PageMachine;

QUARRY_TEST(Alloc, a_block_is_aligned_and_its_first_page_has_one_reference) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  for (uint8_t order = 0; order <= 10; ++order) {
    Page* page = m.pages.alloc(gfp::kKernel, Order(order));
    REQUIRE(page != nullptr);
    CHECK(m.map.pfn(page).is_aligned(Order(order)));
    CHECK_EQ(page->_refcount, 1);
    CHECK_EQ(page->flags, 0U);
    for (uint32_t i = 1; i != Order(order).pages(); ++i) {
      CHECK_EQ(page[i]._refcount, 0);
      CHECK_EQ(page[i].flags, 0U);
    }
    m.pages.free(page, Order(order));
  }
  CHECK(m.all_free());
  CHECK(m.platform.quiet());
}

QUARRY_TEST(Alloc, zeroed_only_if_asked_for) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  for (unsigned order : {0U, 2U, 10U}) {
    const size_t bytes = kPageBytes << order;
    Page* page = m.pages.alloc(gfp::kKernel, Order(order));
    REQUIRE(page != nullptr);
    m.pages.drain_all();  // so that this one comes back next
    auto* memory = static_cast<unsigned char*>(m.map.address(page));
    __builtin_memset(memory, 0x5a, bytes);
    m.pages.free(page, Order(order));
    CHECK(m.pages.alloc(gfp::kKernel, Order(order)) == page);
    CHECK_EQ(memory[bytes - 1], 0x5a);
    m.pages.free(page, Order(order));
    CHECK(m.pages.alloc(gfp::kKernel | gfp::kZero, Order(order)) == page);
    size_t set = 0;
    for (size_t i = 0; i != bytes; ++i) set += memory[i] != 0;
    CHECK_EQ(set, 0U);
    m.pages.free(page, Order(order));
  }
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, pages_ascend_and_pageblocks_get_the_requests_type) {
  PageMachine m;
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  m.platform.add_memory(0, kDmaBytes);
  REQUIRE(m.boot());
  Page* unmovable = m.pages.alloc(gfp::kKernel, Order(0));
  Page* next = m.pages.alloc(gfp::kKernel, Order(0));
  Page* movable = m.pages.alloc(gfp::kHighUserMovable, Order(0));
  Page* reclaimable = m.pages.alloc(gfp::kKernel | gfp::kReclaimable, Order(0));
  CHECK_EQ(m.pfn(next), m.pfn(unmovable) + 1);
  CHECK_EQ(m.map.migratetype(m.map.pfn(unmovable)), MigrateType::kUnmovable);
  CHECK_EQ(m.map.migratetype(m.map.pfn(movable)), MigrateType::kMovable);
  CHECK_EQ(m.map.migratetype(m.map.pfn(reclaimable)), MigrateType::kReclaimable);
  for (Page* page : {unmovable, next, movable, reclaimable}) m.pages.free(page, Order(0));
  CHECK(m.all_free());
}

// Types mix at once where there is no DMA32: DMA is too small to keep Normal in order (Linux:
// alloc_flags_nofragment()).
QUARRY_TEST(Alloc, dma32_is_used_before_types_mix_in_normal) {
  PageMachine m;
  m.platform.add_memory(0, kBelowNormalBytes);
  m.platform.add_memory(kNormalStart, 32 * kMiB);
  REQUIRE(m.boot());
  const Zone& normal = m.zone(ZoneType::kNormal);
  PageChain kept;
  PageChain freed;
  for (bool keep = true;; keep = !keep) {
    Page* page = m.pages.alloc(gfp::kHighUserMovable, Order(0));
    REQUIRE(page != nullptr);
    (keep ? kept : freed).add(page);
    if (&m.pages.zone_of(m.map.pfn(page)) != &normal) break;
  }
  freed.free_all(m.pages);
  m.pages.drain_all();
  // Half of Normal is free, but no pageblock of it.
  CHECK(normal.free_pages() > 3500);
  Page* unmovable = m.pages.alloc(gfp::kKernel, Order(0));
  CHECK_EQ(m.pages.zone_of(m.map.pfn(unmovable)).type,
           kHasDma32 ? ZoneType::kDma32 : ZoneType::kNormal);
  Page* movable = m.pages.alloc(gfp::kHighUserMovable, Order(0));
  CHECK_EQ(m.pages.zone_of(m.map.pfn(movable)).type, ZoneType::kNormal);
  m.pages.free(unmovable, Order(0));
  m.pages.free(movable, Order(0));
  kept.free_all(m.pages);
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, exact_gives_the_excess_back_at_once) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  const uint64_t free = m.pages.free_pages();
  void* memory = m.pages.alloc_exact(5 * kPageBytes - 100, gfp::kKernel);
  REQUIRE(memory != nullptr);
  CHECK_EQ(free - m.pages.free_pages(), 5U);
  Page* page = m.map.page_of(memory);
  for (int i = 0; i != 5; ++i) CHECK_EQ(page[i]._refcount, 1);
  m.pages.free_exact(memory, 5 * kPageBytes - 100);
  CHECK(m.all_free());
  CHECK(m.platform.quiet());
}

QUARRY_TEST(Alloc, exact_has_limits_and_ignores_what_makes_no_sense) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  CHECK(m.pages.alloc_exact(8 * kMiB, gfp::kKernel) == nullptr);
  CHECK(m.platform.logged("order above the largest"));
  CHECK(m.pages.alloc_exact(~size_t{0}, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK(m.pages.alloc_exact(0, gfp::kKernel | gfp::kNoWarn) == nullptr);
  m.platform.clear_log();
  void* memory = m.pages.alloc_exact(2 * kPageBytes, gfp::kKernel | gfp::kComp);
  REQUIRE(memory != nullptr);
  CHECK(m.platform.logged("with __GFP_COMP or __GFP_HIGHMEM"));
  CHECK_EQ(m.map.page_of(memory)->flags, 0U);
  m.pages.free_exact(memory, 2 * kPageBytes);
  void* whole = m.pages.alloc_exact(4 * kMiB, gfp::kKernel);
  CHECK(whole != nullptr);
  m.pages.free_exact(whole, 4 * kMiB);
  CHECK(m.all_free());
  long local = 0;
  m.pages.free_exact(&local, kPageBytes);
  CHECK(m.platform.logged("free_pages_exact of 0x"));
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, bulk_fills_only_empty_slots) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* pages[100] = {};
  Page* mine = m.pages.alloc(gfp::kKernel, Order(0));
  pages[3] = mine;
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernel, kNoNode, pages), 100U);
  CHECK(pages[3] == mine);
  for (Page* page : pages) {
    REQUIRE(page != nullptr);
    CHECK_EQ(page->_refcount, 1);
  }
  // All are filled: nothing to do.
  const uint64_t free = m.pages.free_pages();
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernel, kNoNode, pages), 100U);
  CHECK_EQ(m.pages.free_pages(), free);
  for (Page*& page : pages) m.pages.free(page, Order(0));
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, bulk_of_one_or_of_charged_pages_is_one_ordinary_page) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* one[1] = {};
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernel, kNoNode, one), 1U);
  Page* charged[5] = {};
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernelAccount, kNoNode, charged), 1U);
  CHECK(charged[0] != nullptr && charged[1] == nullptr);
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernel, kNoNode, std::span<Page*>()), 0U);
  m.pages.free(one[0], Order(0));
  m.pages.free(charged[0], Order(0));
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, bulk_below_the_low_mark_is_one_ordinary_page) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  PageChain chain;
  chain.drain(m.pages, gfp::kNoWait);
  for (int i = 0; i != 8; ++i) m.pages.free(chain.pop(), Order(0));
  m.pages.drain_all();
  Page* pages[5] = {};
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernel, kNoNode, pages), 1U);
  m.pages.free(pages[0], Order(0));
  chain.free_all(m.pages);
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, bulk_is_of_the_node_asked_for) {
  PageMachine m(2);
  m.platform.add_memory(0, 64 * kMiB, 0);
  m.platform.add_memory(64 * kMiB, 64 * kMiB, 1);
  m.platform.set_cpu_node(1, 1);
  REQUIRE(m.boot());
  Page* pages[32] = {};
  CHECK_EQ(m.pages.alloc_bulk(gfp::kKernel, NodeId(1), pages), 32U);
  for (Page* page : pages) {
    CHECK_EQ(m.pages.node_of(m.map.pfn(page)), 1U);
    m.pages.free(page, Order(0));
  }
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, pin_scope_takes_movable_away) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  MemallocScope scope(QUARRY_PF_MEMALLOC_PIN);
  Page* page = m.pages.alloc(gfp::kHighUserMovable, Order(0));
  REQUIRE(page != nullptr);
  CHECK_EQ(m.map.migratetype(m.map.pfn(page)), MigrateType::kUnmovable);
  m.pages.free(page, Order(0));
}

QUARRY_TEST(Alloc, pages_taken_without_regard_to_watermarks_are_marked) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  PageChain chain;
  chain.drain(m.pages, gfp::kNoWait);
  Page* page = m.pages.alloc(gfp::kNoWait | gfp::kMemalloc, Order(0));
  REQUIRE(page != nullptr);
  CHECK_EQ(page->flags, uint32_t{QUARRY_PAGE_PFMEMALLOC});
  m.pages.free(page, Order(0));
  chain.free_all(m.pages);
  Page* plain = m.pages.alloc(gfp::kNoWait | gfp::kMemalloc, Order(0));
  CHECK_EQ(plain->flags, 0U);
  m.pages.free(plain, Order(0));
  CHECK(m.all_free());
}

QUARRY_TEST(Alloc, sleeping_requests_in_atomic_context_are_reported_once_and_served) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  ContextGuard guard(&quarry_context::atomic_depth);
  for (int i = 0; i != 3; ++i) {
    Page* page = m.pages.alloc(gfp::kKernel, Order(0));
    CHECK(page != nullptr);
    m.pages.free(page, Order(0));
  }
  CHECK_EQ(m.platform.log_count("BUG: sleeping function called from invalid context"), 1U);
  Page* page = m.pages.alloc(gfp::kAtomic, Order(0));
  m.pages.free(page, Order(0));
  CHECK_EQ(m.platform.log_count("BUG:"), 1U);
}

}  // namespace
}  // namespace quarry
