// SPDX-License-Identifier: MIT
// From a memory map to zones: which frames they have, and which stay reserved.
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kBelowNormalBytes;
using harness::kNormalStart;
using harness::PageMachine;

// Calls `visit(Pfn)` for every frame of free blocks.
template <class Visit>
void for_each_free_frame(PageMachine& m, Visit&& visit) {
  for (Zone& zone : m.pages.zones()) {
    LockGuard guard(zone.lock);
    zone.buddy.for_each([&](Order order, MigrateType, Pfn pfn) {
      for (uint32_t i = 0; i != order.pages(); ++i) visit(pfn + i);
    });
  }
}

QUARRY_TEST(HandOver, what_is_not_reserved_is_free_and_the_rest_is_marked) {
  PageMachine m;
  m.platform.add_memory(0x1000, 0x9e800);  // ends inside a page
  m.platform.add_memory(kMiB, 31 * kMiB);
  m.platform.add_memory(40 * kMiB, 8 * kMiB);
  m.platform.add_reserved(2 * kMiB + 0x800, 0x1000);  // parts of two pages
  REQUIRE(m.boot());
  static bool free[12288];
  for (bool& each : free) each = false;
  uint64_t count = 0;
  for_each_free_frame(m, [&](Pfn pfn) {
    REQUIRE(pfn.value() < 12288);
    CHECK(!free[pfn.value()]);
    free[pfn.value()] = true;
    ++count;
  });
  CHECK_EQ(count, m.pages.managed_pages());
  for (uint32_t i = 0; i != 12288; ++i) {
    const bool memory = (i >= 1 && i < 0x9f) || (i >= 256 && i < 8192) || i >= 10240;
    const bool firmware = i == 512 || i == 513;
    if (!memory || firmware) CHECK(!free[i]);
    if (!m.map.valid(Pfn(i))) continue;
    CHECK_EQ(has_flag(*m.map.page(Pfn(i)), QUARRY_PAGE_RESERVED), !free[i]);
  }
  CHECK(!free[0]);
  CHECK(!m.map.valid(Pfn(9000)));
  CHECK(m.sound());
}

QUARRY_TEST(HandOver, the_allocators_tables_are_one_range) {
  PageMachine m;
  m.platform.add_memory(0, 128 * kMiB);
  REQUIRE(m.boot());
  CHECK_EQ(m.memblock.reserved().size(), 2U);  // frame 0 and the tables
  CHECK_EQ(m.memblock.reserved()[1].start, 16 * kMiB);
  // Below them all is free but frame 0.
  CHECK_EQ(m.zone(ZoneType::kDma).managed, 4095U);
}

QUARRY_TEST(HandOver, zones_by_address) {
  // The machine's highest zone begins at 4 GiB or where its direct map ends.
  constexpr uint64_t kTopStart = kHasDma32 ? kNormalStart : Arch::kLowmemLimit;
  constexpr auto kTopFrame = static_cast<uint32_t>(kTopStart >> kPageShift);
  PageMachine m;
  m.platform.add_memory(0, 64 * kMiB);
  m.platform.add_memory(kTopStart, 32 * kMiB);
  REQUIRE(m.boot());
  const Zone& dma = m.zone(ZoneType::kDma);
  const Zone& middle = m.zone(harness::kAboveDma);
  const Zone& top = m.zone(kHasDma32 ? ZoneType::kNormal : ZoneType::kHighmem);
  CHECK_EQ(dma.start.value(), 0U);
  CHECK_EQ(dma.end.value(), 4096U);
  CHECK_EQ(middle.start.value(), 4096U);
  CHECK_EQ(middle.end.value(), 16384U);
  CHECK_EQ(top.start.value(), kTopFrame);
  CHECK_EQ(top.present, 8192U);
  CHECK_EQ(top.managed, 8192U);
  CHECK_EQ(m.zone(ZoneType::kDma32).populated(), kHasDma32);
  CHECK_EQ(m.zone(ZoneType::kHighmem).populated(), Arch::kHasHighmem);
  CHECK_EQ(&m.pages.zone_of(Pfn(4095)), &dma);
  CHECK_EQ(&m.pages.zone_of(Pfn(4096)), &middle);
  CHECK_EQ(&m.pages.zone_of(Pfn(kTopFrame)), &top);
  CHECK(m.sound());
}

QUARRY_TEST(HandOver, a_fresh_zone_is_movable_and_in_ascending_blocks) {
  PageMachine m;
  m.platform.add_memory(kNormalStart, 48 * kMiB);
  m.platform.add_memory(0, kBelowNormalBytes);  // tables lie here
  REQUIRE(m.boot());
  Zone& zone = m.zone(ZoneType::kNormal);
  LockGuard guard(zone.lock);
  CHECK_EQ(zone.buddy.count(kMaxOrder), 12U);
  Pfn last = kNoPfn;
  zone.buddy.for_each([&](Order order, MigrateType type, Pfn pfn) {
    CHECK(order == kMaxOrder);
    CHECK_EQ(type, MigrateType::kMovable);
    CHECK(pfn > last);
    last = pfn;
  });
}

QUARRY_TEST(HandOver, memory_that_held_something_is_no_trouble) {
  PageMachine m;
  m.platform.add_memory(0, 16 * kMiB);
  m.platform.fill_memory(0xa5);
  REQUIRE(m.boot());
  CHECK(m.sound());
  Page* page = m.pages.alloc(gfp::kKernel | gfp::kZero, Order(2));
  REQUIRE(page != nullptr);
  const auto* memory = static_cast<const unsigned char*>(m.map.address(page));
  for (size_t i = 0; i != 4 * kPageBytes; ++i) CHECK_EQ(memory[i], 0);
  m.pages.free(page, Order(2));
  CHECK(m.all_free());
}

QUARRY_TEST(HandOver, impossible_machines_are_refused_with_a_reason) {
  {
    PageMachine m;
    m.platform.add_memory(0, 16 * kMiB, 40);
    CHECK(!m.boot());
    CHECK(m.platform.logged("too many nodes"));
  }
  {
    PageMachine m;
    m.platform.add_memory(0, 16 * kMiB, -1);
    CHECK(!m.boot());
    CHECK(m.platform.logged("memory without a node"));
  }
  {
    PageMachine m(0);
    m.platform.add_memory(0, 16 * kMiB);
    CHECK(!m.boot());
    CHECK(m.platform.logged("no CPU"));
  }
  {
    PageMachine m(8);
    // The page map of two largest blocks fits, and the stacks do not.
    constexpr uint64_t kFree = (sizeof(Page) << (kMaxOrder.value() + 1)) + 12 * kKiB;
    m.platform.add_memory(0, 5 * kMiB);
    m.platform.add_reserved(0, 5 * kMiB - kFree);
    CHECK(!m.boot());
    CHECK(m.platform.logged("no memory for"));
  }
}

}  // namespace
}  // namespace quarry
