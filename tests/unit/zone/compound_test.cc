// SPDX-License-Identifier: MIT
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::PageMachine;

constexpr Gfp kComp = gfp::kKernel | gfp::kComp;

QUARRY_TEST(Compound, head_and_tails) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  for (unsigned order : {1U, 3U, 4U, 9U, 10U}) {
    Page* page = m.pages.alloc(kComp, Order(order));
    REQUIRE(page != nullptr);
    CHECK_EQ(page->flags, uint32_t{QUARRY_PAGE_HEAD});
    CHECK_EQ(page->order, order);
    CHECK_EQ(page->_refcount, 1);
    for (uint32_t i = 1; i != 1U << order; ++i) {
      CHECK_EQ(page[i].flags, uint32_t{QUARRY_PAGE_TAIL});
      CHECK_EQ(page[i].head, m.pfn(page));
      CHECK_EQ(page[i]._refcount, 0);
      CHECK(compound_head(m.map, page + i) == page);
    }
    m.pages.free(page, Order(order));
    for (uint32_t i = 0; i != 1U << order; ++i) CHECK(!has_flag(page[i], QUARRY_PAGE_TAIL));
    m.pages.drain_all();
    CHECK(m.sound());
  }
  CHECK(m.all_free());
}

QUARRY_TEST(Compound, a_single_page_is_never_compound) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(kComp, Order(0));
  CHECK_EQ(page->flags, 0U);
  m.pages.free(page, Order(0));
}

QUARRY_TEST(Compound, all_pages_share_the_heads_references) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  const uint64_t free = m.pages.free_pages();
  Page* page = m.pages.alloc(kComp, Order(3));
  m.pages.get(page + 5);
  CHECK_EQ(page->_refcount, 2);
  // Nothing is freed before the last reference goes.
  m.pages.free(page, Order(3));
  CHECK_EQ(free - m.pages.free_pages(), 8U);
  m.pages.put(page + 7);
  CHECK_EQ(m.pages.free_pages(), free);
  CHECK(m.all_free());
}

QUARRY_TEST(Compound, put_alone_frees_the_whole_block) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(kComp, Order(6));
  m.pages.put(page + 1);
  CHECK(m.all_free());
  CHECK(m.platform.quiet());
}

QUARRY_TEST(Compound, damaged_blocks_are_reported_and_leaked) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(kComp, Order(2));
  const uint64_t free = m.pages.free_pages();
  page[2].head = 17;
  m.pages.free(page, Order(2));
  CHECK(m.platform.logged("corrupted tail page"));
  page[2].head = m.pfn(page);
  m.platform.clear_log();
  m.pages.free(page, Order(1));
  CHECK(m.platform.logged("freed with another order"));
  CHECK_EQ(m.pages.free_pages(), free);
  m.pages.free(page, Order(2));
  CHECK(m.all_free());
}

}  // namespace
}  // namespace quarry
