// SPDX-License-Identifier: MIT
// Watermarks as they are enforced: zones drained page by page, and where each kind of request
// stops.
#include "gfp/memalloc_scope.h"
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kBelowNormalBytes;
using harness::kNormalStart;
using harness::PageChain;
using harness::PageMachine;

// A zone's marks as Linux computes them from its managed pages alone, and what its rights leave to
// a request with __GFP_HIGH and to an atomic one.
struct Marks {
  uint64_t bytes;
  long min, low, high, promo, left_by_high, left_by_atomic;
};
constexpr Marks kMarks = Arch::kLowmemLimit > 2 * kGiB
                             ? Marks{kGiB, 1024, 1286, 1548, 1810, 512, 384}
                             : Marks{512 * kMiB, 724, 905, 1086, 1267, 362, 272};
constexpr long kManaged = kMarks.bytes / kPageBytes;

// One Normal zone of exactly kManaged pages: more memory than that, by what the tables take.
struct GoldenZone : PageMachine {
  explicit GoldenZone(unsigned cpus = 1) : PageMachine(cpus) {
    uint64_t tables = 0;
    // The tables of the tables' own memory come in the second round.
    for (int round = 0; round != 2; ++round) {
      PageMachine probe(cpus);
      const uint64_t bytes = kMarks.bytes + (tables << kPageShift);
      probe.platform.add_memory(kNormalStart, bytes);
      if (!probe.boot()) return;
      tables = (bytes >> kPageShift) - probe.pages.managed_pages();
    }
    platform.add_memory(kNormalStart, kMarks.bytes + (tables << kPageShift));
    ready = boot() && pages.managed_pages() == kManaged;
  }
  Zone& normal() { return zone(ZoneType::kNormal); }
  // Free pages left when requests of this kind fail, everything else untouched.
  long left_by(Gfp gfp, Order order = {}) {
    PageChain chain;
    chain.drain(pages, gfp, order);
    const long left = normal().free_pages();
    chain.free_all(pages, order);
    pages.drain_all();
    CHECK_EQ(normal().free_pages(), kManaged);
    return left;
  }
  bool ready = false;
};

QUARRY_TEST(Exhaust, each_mask_stops_exactly_at_its_mark) {
  GoldenZone m;
  REQUIRE(m.ready);
  CHECK_EQ(m.normal().marks.at(Mark::kMin), kMarks.min);
  CHECK_EQ(m.normal().marks.at(Mark::kLow), kMarks.low);
  CHECK_EQ(m.normal().marks.at(Mark::kHigh), kMarks.high);
  CHECK_EQ(m.normal().marks.at(Mark::kPromo), kMarks.promo);
  CHECK_EQ(m.left_by(gfp::kKernel), kMarks.min);
  CHECK_EQ(m.left_by(gfp::kNoWait), kMarks.min);
  CHECK_EQ(m.left_by(gfp::kNoIo), kMarks.min);
  CHECK_EQ(m.left_by(gfp::kKernel | gfp::kNoRetry), kMarks.min);
  CHECK_EQ(m.left_by(gfp::kKernel | gfp::kRetryMayfail), kMarks.min);
  CHECK_EQ(m.left_by(gfp::kHighUserMovable), kMarks.min);
  CHECK_EQ(m.left_by(gfp::kKernel | gfp::kHigh), kMarks.left_by_high);
  CHECK_EQ(m.left_by(gfp::kAtomic), kMarks.left_by_atomic);
  CHECK_EQ(m.left_by(gfp::kAtomic | gfp::kNoMemalloc), kMarks.left_by_high);
  CHECK_EQ(m.left_by(gfp::kNoWait | gfp::kMemalloc), 0);
  CHECK_EQ(m.left_by(gfp::kKernel | gfp::kMemalloc), 0);
  CHECK_EQ(m.left_by(gfp::kKernel | gfp::kMemalloc | gfp::kNoMemalloc), kMarks.min);
  CHECK_EQ(m.left_by(Gfp{}), kMarks.min);
  CHECK(m.sound());
}

QUARRY_TEST(Exhaust, a_task_that_reclaims_may_use_everything) {
  GoldenZone m;
  REQUIRE(m.ready);
  MemallocScope scope(QUARRY_PF_MEMALLOC);
  CHECK_EQ(m.left_by(gfp::kKernel), 0);
  CHECK_EQ(m.left_by(gfp::kKernel | gfp::kNoMemalloc), kMarks.min);
}

QUARRY_TEST(Exhaust, larger_orders_count_all_their_pages) {
  GoldenZone m;
  REQUIRE(m.ready);
  // A block is given while free - (its pages - 1) > mark: so the last one leaves at least the mark.
  for (unsigned order : {1U, 3U, 4U, 9U, 10U}) {
    const long pages = long{1} << order;
    const long left = m.left_by(gfp::kKernel, Order(order));
    CHECK(left >= kMarks.min && left < kMarks.min + pages);
    CHECK_EQ(left % pages, 0);
  }
}

QUARRY_TEST(Exhaust, pages_of_other_cpus_are_taken_back_only_for_those_who_can_wait) {
  GoldenZone m(2);
  REQUIRE(m.ready);
  m.platform.on_cpu(1);
  Page* mine = m.pages.alloc(gfp::kKernel, Order(0));
  const uint32_t held = m.normal().stacks.count(CpuId(1));
  REQUIRE(held > 0);
  m.platform.on_cpu(0);
  PageChain chain;
  chain.drain(m.pages, gfp::kNoWait);
  CHECK_EQ(m.normal().free_pages(), kMarks.min);
  CHECK_EQ(m.normal().stacks.count(CpuId(1)), held);
  CHECK_EQ(chain.drain(m.pages, gfp::kKernel), held);
  CHECK_EQ(m.normal().free_pages(), kMarks.min);
  CHECK_EQ(m.normal().stacks.count(CpuId(1)), 0U);
  chain.free_all(m.pages);
  m.pages.free(mine, Order(0));
  CHECK(m.all_free());
}

QUARRY_TEST(Exhaust, lower_zones_keep_their_reserve_from_requests_for_higher_ones) {
  PageMachine m;
  m.platform.add_memory(0, kBelowNormalBytes);
  m.platform.add_memory(kNormalStart, 128 * kMiB);
  REQUIRE(m.boot());
  const Zone& dma = m.zone(ZoneType::kDma);
  const Zone& below = m.zone(harness::kBelowNormal);  // DMA32, or DMA itself
  const Zone& normal = m.zone(ZoneType::kNormal);
  const auto left_of = [](const Zone& zone, ZoneType highest) {
    return zone.marks.at(Mark::kMin) + zone.marks.lowmem_reserve[static_cast<unsigned>(highest)];
  };
  CHECK(below.marks.lowmem_reserve[2] > 0 && dma.marks.lowmem_reserve[2] > 0);
  PageChain chain;
  chain.drain(m.pages, gfp::kNoWait);
  CHECK_EQ(normal.free_pages(), left_of(normal, ZoneType::kNormal));
  CHECK_EQ(below.free_pages(), left_of(below, ZoneType::kNormal));
  CHECK_EQ(dma.free_pages(), left_of(dma, ZoneType::kNormal));
  // The reserve of DMA32 is for those who need DMA32, and DMA's for those who need DMA.
  if (kHasDma32) {
    CHECK(chain.drain(m.pages, gfp::kDma32) > 0);
    CHECK_EQ(below.free_pages(), left_of(below, ZoneType::kDma32));
    CHECK_EQ(dma.free_pages(), left_of(dma, ZoneType::kDma32));
  }
  CHECK(chain.drain(m.pages, gfp::kDma) > 0);
  CHECK_EQ(dma.free_pages(), left_of(dma, ZoneType::kDma));
  CHECK_EQ(normal.free_pages(), left_of(normal, ZoneType::kNormal));
  chain.free_all(m.pages);
  CHECK(m.all_free());
}

QUARRY_TEST(Exhaust, zone_bits_say_how_high_a_request_may_go) {
  PageMachine m;
  m.platform.add_memory(0, kBelowNormalBytes);
  m.platform.add_memory(kNormalStart, 64 * kMiB);
  REQUIRE(m.boot());
  for (uint32_t bits = 0; bits != 16; ++bits) {
    const auto zone_bits = Gfp(bits);
    Page* page = m.pages.alloc(gfp::kKernel | zone_bits, Order(0));
    REQUIRE(page != nullptr);
    ZoneType wanted = gfp_zone(zone_bits);
    if (wanted > ZoneType::kNormal) wanted = ZoneType::kNormal;  // there is no highmem
    CHECK_EQ(m.pages.zone_of(m.map.pfn(page)).type, wanted);
    m.pages.free(page, Order(0));
  }
  CHECK_EQ(m.platform.log_count("contradictory GFP zone bits"), 1U);  // once for each place
  CHECK(m.all_free());
}

}  // namespace
}  // namespace quarry
