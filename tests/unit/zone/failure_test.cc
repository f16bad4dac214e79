// SPDX-License-Identifier: MIT
// Requests that fail, or must not: reports, NOFAIL, fault injection.
#include "support/page_machine.h"
#include "sync/execution_context.h"

namespace quarry {
namespace {

using harness::kBelowNormalBytes;
using harness::kNormalStart;
using harness::PageChain;
using harness::PageMachine;

// No page is left for requests that have to keep to the marks.
struct Exhausted : PageMachine {
  PageChain chain;

  Exhausted() {
    if (!boot_mib(32)) return;
    chain.drain(pages, gfp::kKernel);
    platform.clear_log();
  }
  ~Exhausted() {
    chain.free_all(pages);
    CHECK(all_free());
  }
};

QUARRY_TEST(Failure, an_order_above_the_largest_warns_and_fails) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  CHECK(m.pages.alloc(gfp::kKernel | gfp::kNoWarn, Order(11)) == nullptr);
  CHECK(m.platform.quiet());
  for (int i = 0; i != 2; ++i) {
    CHECK(m.pages.alloc(gfp::kKernel | gfp::kNoFail, Order(11)) == nullptr);
  }
  CHECK_EQ(m.platform.log_count("WARNING:"), 1U);
  CHECK(m.pages.alloc(gfp::kKernel, Order(200)) == nullptr);
}

QUARRY_TEST(Failure, the_report_has_the_kernels_words) {
  Exhausted m;
  CHECK(m.pages.alloc(gfp::kKernel | gfp::kComp, Order(4)) == nullptr);
  const char* text = m.platform.log_text();
  constexpr char kBegin[] =
      "quarry: page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), "
      "nodemask=(null)\n"
      "Call Trace:\n <TASK>\n test_frame+0x4\n </TASK>\n"
      "Mem-Info:\n"
      "Node 0 DMA free:";
  CHECK(__builtin_memcmp(text, kBegin, sizeof(kBegin) - 1) == 0);
  CHECK(m.platform.logged("\nlowmem_reserve[]: 0 "));
  FixedText<64> line;
  format(line, "\nNode 0 %s: ", kZoneNames[static_cast<unsigned>(harness::kAboveDma)]);
  CHECK(m.platform.logged(line.c_str()));
}

QUARRY_TEST(Failure, is_reported_once_in_ten_seconds_and_not_if_unwanted) {
  Exhausted m;
  CHECK(m.pages.alloc(gfp::kKernel | gfp::kNoWarn, Order(0)) == nullptr);
  CHECK(m.platform.quiet());
  for (int i = 0; i != 3; ++i) CHECK(m.pages.alloc(gfp::kNoWait, Order(0)) == nullptr);
  CHECK_EQ(m.platform.log_count("page allocation failure"), 1U);
  m.platform.advance_clock(10'000'000'000);
  CHECK(m.pages.alloc(gfp::kNoWait, Order(0)) == nullptr);
  CHECK_EQ(m.platform.log_count("page allocation failure"), 2U);
}

QUARRY_TEST(Failure, nobody_is_told_that_a_machine_without_dma_memory_has_none) {
  PageMachine m;
  m.platform.add_memory(64 * kMiB, 64 * kMiB);
  REQUIRE(m.boot());
  CHECK(m.pages.alloc(gfp::kDma, Order(0)) == nullptr);
  CHECK(m.platform.quiet());
}

QUARRY_TEST(NoFail, without_permission_to_reclaim_it_is_reported_and_fails) {
  Exhausted m;
  CHECK(m.pages.alloc(gfp::kNoWait | gfp::kNoFail, Order(0)) == nullptr);
  CHECK_EQ(m.platform.log_count("__GFP_NOFAIL without __GFP_DIRECT_RECLAIM"), 1U);
  CHECK_EQ(m.platform.log_count("page allocation failure"), 1U);
}

QUARRY_TEST(NoFail, large_orders_are_reported) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel | gfp::kNoFail, Order(4));
  CHECK(page != nullptr);
  CHECK(m.platform.logged("__GFP_NOFAIL with an order above 1"));
  m.pages.free(page, Order(4));
}

QUARRY_TEST(NoFail, reaches_into_the_reserve_and_then_waits_until_somebody_frees) {
  Exhausted m;
  struct Waiting {
    Exhausted& m;
    unsigned waits = 0;
  } waiting{m};
  m.platform.on_wait(
      [](void* context) {
        Waiting& self = *static_cast<Waiting*>(context);
        // The third time somebody frees a page.
        if (++self.waits == 3) self.m.pages.free(self.m.chain.pop(), Order(0));
        return self.waits < 10;
      },
      &waiting);
  // Half of min is there for requests that must not fail; no one has to wait for that.
  PageChain reserve;
  while (waiting.waits == 0) {
    Page* page = m.pages.alloc(gfp::kKernel | gfp::kNoFail, Order(0));
    REQUIRE(page != nullptr);
    reserve.add(page);
  }
  CHECK_EQ(waiting.waits, 3U);
  const Zone& zone = m.zone(ZoneType::kDma32);
  CHECK_EQ(zone.free_pages(), lowered_mark(zone.marks.at(Mark::kMin), {.min_reserve = true}));
  reserve.free_all(m.pages);
}

QUARRY_TEST(NoFail, is_fatal_when_nobody_can_free_anything) {
  Exhausted m;
  PageChain reserve;
  const char* death = m.platform.death_of([&] {
    for (;;) reserve.add(m.pages.alloc(gfp::kKernel | gfp::kNoFail, Order(0)));
  });
  CHECK_TEXT(death, "System is deadlocked on memory");
  reserve.free_all(m.pages);
}

// All zones at their marks, with whole blocks of order 4 left in Normal below its mark.
struct AtMin : PageMachine {
  PageChain chain;
  PageChain singles;

  AtMin() {
    platform.add_memory(0, kBelowNormalBytes);
    platform.add_memory(kNormalStart, 64 * kMiB);
    if (!boot()) return;
    chain.drain(pages, gfp::kKernel, Order(4));
    singles.drain(pages, gfp::kKernel);
    platform.clear_log();
  }
  ~AtMin() {
    chain.free_all(pages, Order(4));
    singles.free_all(pages);
    CHECK(all_free());
  }
  Zone& normal() { return zone(ZoneType::kNormal); }
  long kept() { return normal().marks.highatomic.load(); }
  // Free pages that a request without special rights sees above min.
  long above_min() { return normal().pages_above_mark(ZoneType::kNormal, {.mark = Mark::kMin}); }
};

QUARRY_TEST(HighAtomic, a_pageblock_is_kept_for_atomic_requests_of_higher_order) {
  AtMin m;
  constexpr Gfp kQuietAtomic = gfp::kAtomic | gfp::kNoWarn;
  Page* single = m.pages.alloc(kQuietAtomic, Order(0));
  REQUIRE(single != nullptr);
  CHECK_EQ(m.kept(), 0);
  Page* block = m.pages.alloc(kQuietAtomic, Order(2));
  REQUIRE(block != nullptr && &m.pages.zone_of(m.map.pfn(block)) == &m.normal());
  CHECK_EQ(m.kept(), long{kPageblockPages});
  CHECK_EQ(m.map.migratetype(m.map.pfn(block)), MigrateType::kHighAtomic);
  CHECK(m.normal().counters.nonempty_highatomic.load() != 0);
  CHECK(m.sound());
  // The next one comes from there, and pages that come back are kept too.
  Page* second = m.pages.alloc(kQuietAtomic, Order(2));
  REQUIRE(second != nullptr);
  CHECK_EQ(m.map.migratetype(m.map.pfn(second)), MigrateType::kHighAtomic);
  m.pages.free(block, Order(2));
  m.pages.free(second, Order(2));
  m.pages.free(single, Order(0));
  m.pages.drain_all();
  CHECK(m.sound());
  // One per cent of the zone and one pageblock is the most.
  CHECK(m.kept() <= static_cast<long>(m.normal().managed / 100) + 2 * long{kPageblockPages});
}

QUARRY_TEST(HighAtomic, what_is_kept_is_given_back_before_a_request_fails) {
  AtMin m;
  Page* block = m.pages.alloc(gfp::kAtomic | gfp::kNoWarn, Order(2));
  REQUIRE(block != nullptr);
  REQUIRE_EQ(m.kept(), long{kPageblockPages});
  // There would be enough, if it were not for what is kept.
  PageChain normal;
  PageChain others;
  while (normal.count() != 8) {
    Page* page = m.chain.pop();
    REQUIRE(page != nullptr);
    (&m.pages.zone_of(m.map.pfn(page)) == &m.normal() ? normal : others).add(page);
  }
  while (Page* page = others.pop()) m.chain.add(page);
  normal.free_all(m.pages, Order(4));
  CHECK(m.above_min() < 0);
  CHECK(m.pages.alloc(gfp::kNoWait | gfp::kNoWarn, Order(0)) == nullptr);
  CHECK_EQ(m.kept(), long{kPageblockPages});
  Page* page = m.pages.alloc(gfp::kKernel | gfp::kNoWarn, Order(2));
  REQUIRE(page != nullptr);
  CHECK_EQ(m.kept(), 0);
  CHECK(m.map.migratetype(m.map.pfn(block)) != MigrateType::kHighAtomic);
  CHECK(m.sound());
  m.pages.free(page, Order(2));
  m.pages.free(block, Order(2));
}

QUARRY_TEST(FaultInjection, every_nth_request_can_be_made_to_fail) {
  PageMachine m;
  PageAllocatorOptions options;
  options.fail_page_alloc.ignore_gfp_wait = false;
  options.fail_page_alloc.min_order = 0;
  m.platform.add_memory(0, 32 * kMiB);
  REQUIRE(m.boot(options));
  for (uint32_t n = 1; n != 12; ++n) {
    Arch::context().fail_nth = n;
    update_forbidden_gfp(Arch::context());
    for (uint32_t i = 1; i != 16; ++i) {
      Page* page = m.pages.alloc(gfp::kKernel | gfp::kNoWarn, Order(i % 5));
      CHECK_EQ(page == nullptr, i == n);
      if (page != nullptr) m.pages.free(page, Order(i % 5));
    }
  }
  // A block of several requests inside: exact and bulk lose nothing.
  for (uint32_t n = 1; n != 4; ++n) {
    Arch::context().fail_nth = n;
    update_forbidden_gfp(Arch::context());
    for (int i = 0; i != 3; ++i) {
      void* memory = m.pages.alloc_exact(20000, gfp::kKernel | gfp::kNoWarn);
      if (memory != nullptr) m.pages.free_exact(memory, 20000);
      Page* pages[7] = {};
      const size_t count = m.pages.alloc_bulk(gfp::kKernel | gfp::kNoWarn, kNoNode, pages);
      for (size_t k = 0; k != count; ++k) m.pages.free(pages[k], Order(0));
    }
  }
  CHECK_EQ(Arch::context().fail_nth, 0U);
  CHECK(m.platform.quiet());
  CHECK(m.all_free());
}

QUARRY_TEST(FaultInjection, dice_turn_the_stacks_off_and_on) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  m.pages.set_fault_parameters(
      {.probability = 100, .times = 2, .ignore_gfp_wait = false, .min_order = 0});
  CHECK(m.pages.alloc(gfp::kKernel, Order(0)) == nullptr);
  CHECK(m.platform.logged("FAULT_INJECTION: forcing a failure.\nname fail_page_alloc"));
  CHECK(m.pages.alloc(gfp::kKernel, Order(0)) == nullptr);
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  REQUIRE(page != nullptr);
  CHECK_EQ(m.zone(harness::kAboveDma).stacks.count(CpuId(0)), 0U);
  m.pages.free(page, Order(0));
  CHECK_EQ(m.zone(harness::kAboveDma).stacks.count(CpuId(0)), 0U);
  m.pages.set_fault_parameters({});
  page = m.pages.alloc(gfp::kKernel, Order(0));
  m.pages.free(page, Order(0));
  CHECK(m.zone(harness::kAboveDma).stacks.count(CpuId(0)) > 0);
  CHECK(m.all_free());
}

}  // namespace
}  // namespace quarry
