// SPDX-License-Identifier: MIT
// References, and what happens to pages that should not be freed.
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kNormalStart;
using harness::PageMachine;

QUARRY_TEST(Free, a_second_reference_keeps_a_single_page) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  const uint64_t free = m.pages.free_pages();
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  m.pages.get(page);
  CHECK_EQ(page->_refcount, 2);
  m.pages.free(page, Order(0));
  CHECK_EQ(free - m.pages.free_pages(), 1U);
  m.pages.put(page);
  CHECK_EQ(m.pages.free_pages(), free);
  CHECK(m.all_free());
}

// Linux: lib/test_free_pages.c.
QUARRY_TEST(Free, with_a_reference_on_its_first_page_the_rest_of_a_plain_block_is_freed_now) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  const uint64_t free = m.pages.free_pages();
  for (unsigned order = 1; order <= 6; ++order) {
    Page* page = m.pages.alloc(gfp::kKernel, Order(order));
    REQUIRE(page != nullptr);
    m.pages.get(page);
    m.pages.free(page, Order(order));
    CHECK_EQ(free - m.pages.free_pages(), 1U);
    CHECK_EQ(page->_refcount, 1);
    m.pages.put(page);
    CHECK_EQ(m.pages.free_pages(), free);
  }
  CHECK(m.all_free());
  CHECK(m.platform.quiet());
}

QUARRY_TEST(Free, split_pages_are_freed_one_by_one) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel, Order(4));
  REQUIRE(page != nullptr);
  m.pages.split(page, Order(4));
  for (int i = 15; i >= 0; --i) {
    CHECK_EQ(page[i]._refcount, 1);
    m.pages.free(page + i, Order(0));
  }
  CHECK(m.all_free());
}

QUARRY_TEST(Free, a_page_waits_in_its_cpus_stack_and_not_in_the_free_lists) {
  PageMachine m;
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  m.pages.drain_all();
  CHECK_EQ(zone.free_pages(), zone.managed - 1);
  m.pages.free(page, Order(0));
  CHECK(has_flag(*page, QUARRY_PAGE_PCP));
  CHECK_EQ(zone.free_pages(), zone.managed - 1);
  CHECK_EQ(zone.stacks.count(CpuId(0)), 1U);
  CHECK_EQ(m.pages.free_pages(), zone.managed);
  m.pages.drain_all();
  CHECK_EQ(zone.free_pages(), zone.managed);
  CHECK(!has_flag(*page, QUARRY_PAGE_PCP));
  CHECK(m.sound());
}

// Each case breaks a page, frees it, and wants a report, no harm, and the page leaked.
template <class Break>
void check_bad_page(const char* reason, Break&& break_page) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  REQUIRE(page != nullptr);
  m.pages.drain_all();
  const uint64_t free = m.pages.free_pages();
  break_page(*page);
  m.pages.free(page, Order(0));
  CHECK_EQ(m.platform.log_count("BUG: Bad page state in process quarry  pfn:"), 1U);
  CHECK(m.platform.logged(reason));
  CHECK_EQ(m.pages.free_pages(), free);
  page->flags = 0;
  page->cache = 0;
  page->_refcount = 1;
  CHECK(m.sound());
}

QUARRY_TEST(BadPage, flags_that_belong_to_somebody) {
  for (uint32_t flag :
       {QUARRY_PAGE_TAIL, QUARRY_PAGE_SLAB, QUARRY_PAGE_LARGE_KMALLOC, QUARRY_PAGE_RESERVED}) {
    check_bad_page("PAGE_FLAGS_CHECK_AT_FREE flag(s) set",
                   [flag](Page& page) { page.flags = flag; });
  }
  check_bad_page("PAGE_FLAGS_CHECK_AT_FREE flag(s) set", [](Page& page) { page.cache = 5; });
}

QUARRY_TEST(BadPage, no_reference_left) {
  check_bad_page("VM_BUG_ON_PAGE(page_ref_count(page) == 0)",
                 [](Page& page) { page._refcount = 0; });
  check_bad_page("VM_BUG_ON_PAGE(page_ref_count(page) == 0)",
                 [](Page& page) { page._refcount = -1; });
}

QUARRY_TEST(BadPage, the_report) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  page->flags = QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL;
  m.pages.free(page, Order(0));
  FixedText<512> wanted;
  format(wanted, "BUG: Bad page state in process quarry  pfn:%05x\n", m.pfn(page));
  format(wanted, "page:%p refcount:1 order:0 cache:0 head:0x0 pfn:%#x\n",
         static_cast<const void*>(page), m.pfn(page));
  format(wanted, "flags: 0x18(tail|slab)\n");
  format(wanted, "page dumped because: PAGE_FLAGS_CHECK_AT_FREE flag(s) set\n");
  format(wanted, "Call Trace:\n <TASK>\n test_frame+0x4\n </TASK>\n");
  CHECK_TEXT(m.platform.log_text(), wanted.c_str());
}

QUARRY_TEST(BadPage, the_same_page_twice) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  for (unsigned order : {0U, 3U, 5U}) {
    m.platform.clear_log();
    Page* page = m.pages.alloc(gfp::kKernel, Order(order));
    m.pages.free(page, Order(order));
    m.pages.free(page, Order(order));
    CHECK_EQ(m.platform.log_count("BUG: Bad page state"), 1U);
    m.pages.put(page);
    CHECK_EQ(m.platform.log_count("BUG: Bad page state"), 2U);
    CHECK(m.sound());
  }
  CHECK(m.all_free());
}

QUARRY_TEST(BadPage, a_block_that_is_not_aligned_to_its_order) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel, Order(2));
  m.pages.split(page, Order(2));
  m.pages.free(page + 1, Order(1));
  CHECK(m.platform.logged("not aligned"));
  m.platform.clear_log();
  m.pages.free(page + 1, Order(30));
  CHECK(m.platform.logged("not aligned"));
  for (int i = 0; i != 4; ++i) m.pages.free(page + i, Order(0));
  CHECK(m.all_free());
}

QUARRY_TEST(BadPage, at_most_sixty_reports_a_minute) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  page->_refcount = 0;
  for (int i = 0; i != 70; ++i) m.pages.free(page, Order(0));
  CHECK_EQ(m.platform.log_count("BUG: Bad page state"), 60U);
  m.platform.advance_clock(60'000'000'000);
  m.pages.free(page, Order(0));
  CHECK_EQ(m.platform.log_count("BUG: Bad page state"), 61U);
}

QUARRY_TEST(BadPage, reserved_frames_are_not_freed) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  REQUIRE(has_flag(*m.map.page(Pfn(0)), QUARRY_PAGE_RESERVED));
  Page* page = m.map.page(Pfn(0));
  page->_refcount = 1;
  m.pages.free(page, Order(0));
  CHECK(m.platform.logged("flags: 0x40(reserved)"));
  page->_refcount = 0;
  CHECK(m.sound());
}

}  // namespace
}  // namespace quarry
