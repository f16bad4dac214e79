// SPDX-License-Identifier: MIT
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kNormalStart;
using harness::PageChain;
using harness::PageMachine;

QUARRY_TEST(PageStacks, batch_and_high_are_those_of_zoneinfo) {
  PageMachine m(4);
  m.platform.add_memory(kNormalStart, 512 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  CHECK_EQ(zone.stacks.batch(), pcp_batch(zone.managed));
  CHECK_EQ(zone.stacks.high(), pcp_high(zone.marks.at(Mark::kLow), 4, zone.stacks.batch()));
}

QUARRY_TEST(PageStacks, a_refill_brings_a_batch) {
  PageMachine m;
  m.platform.add_memory(kNormalStart, 256 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  const uint32_t batch = zone.stacks.batch();
  CHECK(batch > 8);
  for (unsigned order = 0; order <= 3; ++order) {
    const auto before = static_cast<uint64_t>(zone.free_pages());
    Page* page = m.pages.alloc(gfp::kKernel, Order(order));
    const uint32_t blocks = PageStacks::refill_count(batch, Order(order));
    CHECK_EQ(before - static_cast<uint64_t>(zone.free_pages()), blocks << order);
    CHECK_EQ(zone.stacks.count(CpuId(0)), (blocks - 1) << order);
    m.pages.free(page, Order(order));
    m.pages.drain_all();
  }
  CHECK(m.all_free());
}

QUARRY_TEST(PageStacks, blocks_of_order_4_have_none) {
  PageMachine m;
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  Page* page = m.pages.alloc(gfp::kKernel, Order(4));
  m.pages.free(page, Order(4));
  CHECK_EQ(zone.free_pages(), zone.managed);
}

QUARRY_TEST(PageStacks, a_huge_page_waits_for_its_next_user_in_a_large_zone) {
  PageMachine m;
  m.platform.add_memory(4 * kGiB, kGiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  CHECK(zone.stacks.high() >= kHugeOrder.pages());
  Page* page = m.pages.alloc(gfp::kKernel, kHugeOrder);
  REQUIRE(page != nullptr);
  m.pages.free(page, kHugeOrder);
  const uint32_t kept = kKeepsHugePages ? kHugeOrder.pages() : 0;
  CHECK_EQ(zone.stacks.count(CpuId(0)), kept);
  CHECK_EQ(static_cast<uint64_t>(zone.free_pages()) + kept, zone.managed);
  CHECK_EQ(m.pages.alloc(gfp::kKernel, kHugeOrder), page);
  m.pages.free(page, kHugeOrder);
  m.pages.drain_all();
  CHECK_EQ(zone.stacks.count(CpuId(0)), 0U);
  CHECK(m.all_free());
}

QUARRY_TEST(PageStacks, a_small_zone_keeps_no_huge_page_from_others) {
  PageMachine m;
  m.platform.add_memory(4 * kGiB, 64 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  CHECK(zone.stacks.high() < kHugeOrder.pages());
  m.pages.free(m.pages.alloc(gfp::kKernel, kHugeOrder), kHugeOrder);
  CHECK_EQ(zone.free_pages(), zone.managed);
}

QUARRY_TEST(PageStacks, a_full_stack_gives_back_what_does_not_fit) {
  PageMachine m;
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  PageChain chain;
  for (int i = 0; i != 5000; ++i) chain.add(m.pages.alloc(gfp::kKernel, Order(0)));
  chain.free_all(m.pages);
  CHECK(zone.stacks.count(CpuId(0)) <= 2 * zone.stacks.high());
  CHECK(m.sound());
  CHECK(m.all_free());
}

QUARRY_TEST(PageStacks, each_cpu_has_its_own_and_each_type) {
  PageMachine m(3);
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  Page* page[3];
  constexpr Gfp kTypes[3] = {gfp::kKernel, gfp::kHighUserMovable, gfp::kKernel | gfp::kReclaimable};
  for (unsigned cpu = 0; cpu != 3; ++cpu) {
    m.platform.on_cpu(cpu);
    page[cpu] = m.pages.alloc(kTypes[cpu], Order(0));
  }
  m.pages.drain_all();
  m.platform.on_cpu(1);
  for (Page* each : page) m.pages.free(each, Order(0));
  CHECK_EQ(zone.stacks.count(CpuId(0)), 0U);
  CHECK_EQ(zone.stacks.count(CpuId(1)), 3U);
  // The other type's page is not taken for this one.
  for (unsigned type = 0; type != 3; ++type) {
    Page* again = m.pages.alloc(kTypes[type], Order(0));
    CHECK(again == page[type]);
    m.pages.free(again, Order(0));
  }
  CHECK(m.all_free());
}

QUARRY_TEST(PageStacks, draining_one_cpu_leaves_the_others_alone) {
  PageMachine m(2);
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  const Zone& zone = m.zone(ZoneType::kNormal);
  for (unsigned cpu : {0U, 1U}) {
    m.platform.on_cpu(cpu);
    for (uint8_t order = 0; order <= 3; ++order) {
      Page* page = m.pages.alloc(gfp::kKernel, Order(order));
      m.pages.free(page, Order(order));
    }
  }
  m.pages.drain_local();
  CHECK(zone.stacks.count(CpuId(0)) > 0);
  CHECK_EQ(zone.stacks.count(CpuId(1)), 0U);
  m.platform.on_cpu(0);
  m.pages.drain_local();
  CHECK_EQ(zone.free_pages(), zone.managed);
  CHECK(m.sound());
}

QUARRY_TEST(PageStacks, lock_all_holds_every_lock_and_lets_go) {
  PageMachine m(2);
  REQUIRE(m.boot_mib());
  m.pages.lock_all();
  for (const Zone& zone : m.pages.zones()) CHECK(zone.lock.is_locked());
  m.pages.unlock_all();
  for (const Zone& zone : m.pages.zones()) CHECK(!zone.lock.is_locked());
  CHECK_EQ(Arch::context().irq_off_depth, 0U);
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  m.pages.free(page, Order(0));
  CHECK(m.all_free());
}

}  // namespace
}  // namespace quarry
