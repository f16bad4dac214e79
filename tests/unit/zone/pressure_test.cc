// SPDX-License-Identifier: MIT
// What the slow path asks of a PressureHandler, and when.
#include "gfp/memalloc_scope.h"
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kBelowNormalBytes;
using harness::kNormalStart;
using harness::PageChain;
using harness::PageMachine;

// Counts what it is asked for, and frees what a test gave it.
class FakePressure final : public PressureHandler {
 public:
  explicit FakePressure(PageMachine& machine) : m_(machine) {}

  void wake_background_reclaim(Gfp, Order order, const ZoneList&, ZoneType) override {
    ++wakeups;
    last_woken_order = order;
  }
  size_t reclaim(Gfp, Order, const ZoneList&, ZoneType) override {
    ++reclaims;
    CHECK(Arch::context().memalloc_flags & QUARRY_PF_MEMALLOC);
    return free_some();
  }
  size_t reclaimable_pages(const Zone&) override { return reclaimable.count(); }
  CompactResult compact(Gfp, Order, const ZoneList&, ZoneType, CompactPriority priority) override {
    if (compactions < 8) priorities[compactions] = priority;
    ++compactions;
    return result;
  }
  bool out_of_memory(Gfp, Order) override {
    ++kills;
    return free_victim();
  }

  PageChain reclaimable;
  PageChain victim;
  unsigned at_a_time = 4;
  unsigned wakeups = 0;
  unsigned reclaims = 0;
  unsigned compactions = 0;
  unsigned kills = 0;
  Order last_woken_order{};
  CompactPriority priorities[8] = {};
  CompactResult result = CompactResult::kFailed;

 private:
  size_t free_some() {
    size_t count = 0;
    while (count != at_a_time && reclaimable.count() != 0) {
      m_.pages.free(reclaimable.pop(), Order(0));
      ++count;
    }
    return count;
  }
  bool free_victim() {
    const bool any = victim.count() != 0;
    victim.free_all(m_.pages);
    return any;
  }

  PageMachine& m_;
};

// A machine that is full, with a handler.
struct Pressed : PageMachine {
  FakePressure pressure{*this};
  PageChain chain;

  explicit Pressed(unsigned reclaimable = 0, unsigned victim = 0) {
    platform.add_memory(kNormalStart, 64 * kMiB);
    if (!boot()) return;
    for (unsigned i = 0; i != reclaimable; ++i) pressure.reclaimable.add(take());
    for (unsigned i = 0; i != victim; ++i) pressure.victim.add(take());
    chain.drain(pages, gfp::kKernel);
    platform.clear_log();
    pages.set_pressure_handler(&pressure);
  }
  ~Pressed() {
    pages.set_pressure_handler(nullptr);
    pressure.reclaimable.free_all(pages);
    pressure.victim.free_all(pages);
    chain.free_all(pages);
    CHECK(all_free());
  }
  Page* take() { return pages.alloc(gfp::kKernel, Order(0)); }
  Page* alloc(Gfp gfp, unsigned order = 0) { return pages.alloc(gfp | gfp::kNoWarn, Order(order)); }
};

QUARRY_TEST(Pressure, below_low_background_reclaim_is_woken) {
  Pressed m;
  CHECK(m.alloc(gfp::kNoWait) == nullptr);
  CHECK(m.pressure.wakeups > 0);
  CHECK_EQ(m.pressure.reclaims, 0U);
  const unsigned before = m.pressure.wakeups;
  CHECK(m.alloc(Gfp{}) == nullptr);  // without __GFP_KSWAPD_RECLAIM
  CHECK_EQ(m.pressure.wakeups, before);
}

QUARRY_TEST(Pressure, direct_reclaim_serves_those_who_may_wait) {
  Pressed m(20);
  Page* page = m.alloc(gfp::kKernel);
  CHECK(page != nullptr);
  CHECK_EQ(m.pressure.reclaims, 1U);
  CHECK_EQ(m.pressure.kills, 0U);
  m.chain.add(page);
}

QUARRY_TEST(Pressure,
            order_3_and_below_are_retried_until_nothing_is_left_then_something_is_killed) {
  Pressed m(0, 50);
  Page* page = m.alloc(gfp::kKernel);
  CHECK(page != nullptr);
  CHECK_EQ(m.pressure.kills, 1U);
  m.chain.add(page);
}

QUARRY_TEST(Pressure, when_killing_does_not_help_it_fails) {
  Pressed m;
  CHECK(m.alloc(gfp::kKernel) == nullptr);
  CHECK_EQ(m.pressure.kills, 1U);
}

QUARRY_TEST(Pressure, who_gives_up_before_the_oom_killer) {
  Pressed m(0, 50);
  CHECK(m.alloc(gfp::kKernel | gfp::kNoRetry) == nullptr);
  CHECK_EQ(m.pressure.reclaims, 1U);
  CHECK(m.alloc(gfp::kKernel | gfp::kRetryMayfail) == nullptr);
  CHECK(m.alloc(gfp::kKernel | gfp::kThisNode) == nullptr);
  CHECK(m.alloc(gfp::kKernel | gfp::kDma) == nullptr);
  CHECK(m.alloc(gfp::kKernel, 4) == nullptr);
  CHECK_EQ(m.pressure.kills, 0U);
}

QUARRY_TEST(Pressure, a_task_that_reclaims_does_not_reclaim_again) {
  Pressed m(20);
  MemallocScope scope(QUARRY_PF_MEMALLOC);
  Page* page = m.alloc(gfp::kKernel);  // from the reserve
  CHECK(page != nullptr);
  m.chain.add(page);
  CHECK(m.alloc(gfp::kKernel | gfp::kNoMemalloc) == nullptr);
  CHECK_EQ(m.pressure.reclaims, 0U);
}

QUARRY_TEST(Pressure, large_blocks_are_compacted_first) {
  Pressed m(100);
  CHECK(m.alloc(gfp::kKernel, 5) == nullptr);
  REQUIRE(m.pressure.compactions >= 2);
  CHECK_EQ(m.pressure.priorities[0], CompactPriority::kAsync);
  CHECK_EQ(m.pressure.priorities[1], CompactPriority::kSyncLight);
}

QUARRY_TEST(Pressure, costly_requests_that_need_not_succeed_give_up_early) {
  Pressed m(100);
  m.pressure.result = CompactResult::kDeferred;
  CHECK(m.alloc(gfp::kKernel | gfp::kNoRetry, 5) == nullptr);
  CHECK_EQ(m.pressure.compactions, 1U);
  CHECK_EQ(m.pressure.reclaims, 0U);
}

QUARRY_TEST(Pressure, without_io_there_is_no_compaction) {
  Pressed m;
  CHECK(m.alloc(gfp::kNoIo, 5) == nullptr);
  CHECK_EQ(m.pressure.compactions, 0U);
}

QUARRY_TEST(Pressure, mixing_types_in_a_pageblock_boosts_the_marks) {
  PageMachine m;
  m.platform.add_memory(0, kBelowNormalBytes);
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  FakePressure pressure(m);
  Zone& zone = m.zone(ZoneType::kNormal);
  // Movable pages everywhere; then every other one comes free.
  PageChain kept;
  PageChain freed;
  while (Page* page = m.pages.alloc(gfp::kHighUserMovable | gfp::kNoWarn, Order(0))) {
    (m.pfn(page) % 2 != 0 ? kept : freed).add(page);
  }
  freed.free_all(m.pages);
  m.pages.drain_all();
  m.pages.set_pressure_handler(&pressure);
  const long low = zone.marks.at(Mark::kLow);
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  REQUIRE(page != nullptr && &m.pages.zone_of(m.map.pfn(page)) == &zone);
  const long boost = zone.marks.boost.load();
  // Each page of the refill came from another pageblock; the boost ends at 1.5 times high.
  CHECK(boost >= long{kPageblockPages});
  CHECK(boost % long{kPageblockPages} == 0 || boost == zone.marks.mark[2] * 3 / 2);
  CHECK_EQ(zone.marks.at(Mark::kLow), low + boost);
  CHECK_EQ(pressure.wakeups, 1U);
  CHECK_EQ(pressure.last_woken_order.value(), 0U);
  m.pages.free(page, Order(0));
  kept.free_all(m.pages);
  CHECK(m.all_free());
}

}  // namespace
}  // namespace quarry
