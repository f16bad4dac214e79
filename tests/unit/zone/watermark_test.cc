// SPDX-License-Identifier: MIT
#include "zone/watermark.h"

#include "harness.h"
#include "zone/page_stacks.h"

namespace quarry {
namespace {

constexpr uint64_t kPagesPerGib = 262144;

// Numbers that Linux 6.1 shows in /proc/zoneinfo and /proc/sys/vm/min_free_kbytes.
QUARRY_TEST(Watermark, min_free_kbytes_follows_the_square_root) {
  CHECK_EQ(min_free_kbytes(16 * 1024), 512U);
  CHECK_EQ(min_free_kbytes(128 * 1024), 1448U);
  CHECK_EQ(min_free_kbytes(1024 * 1024), 4096U);
  CHECK_EQ(min_free_kbytes(4096 * 1024), 8192U);
  CHECK_EQ(min_free_kbytes(16384 * 1024), 16384U);
  CHECK_EQ(min_free_kbytes(512), 128U);
  CHECK_EQ(min_free_kbytes(uint64_t{1} << 40), 262144U);
}

QUARRY_TEST(Watermark, one_normal_zone_of_a_gib) {
  Watermarks w;
  set_watermarks(w, kPagesPerGib, kPagesPerGib, 4096, false);
  CHECK_EQ(w.at(Mark::kMin), 1024);
  CHECK_EQ(w.at(Mark::kLow), 1286);
  CHECK_EQ(w.at(Mark::kHigh), 1548);
  CHECK_EQ(w.at(Mark::kPromo), 1810);
}

QUARRY_TEST(Watermark, a_zone_gets_its_share_of_min) {
  Watermarks w;
  // An eighth of 4096 kB; the distance is a quarter of that, more than 1/1000 of the zone.
  set_watermarks(w, kPagesPerGib / 8, kPagesPerGib, 4096, false);
  CHECK_EQ(w.at(Mark::kMin), 128);
  CHECK_EQ(w.at(Mark::kLow), 160);
  CHECK_EQ(w.at(Mark::kHigh), 192);
}

QUARRY_TEST(Watermark, highmem_keeps_little) {
  Watermarks w;
  set_watermarks(w, 100, 229376, 3831, true);
  CHECK_EQ(w.at(Mark::kMin), 32);
  set_watermarks(w, 65536, 229376, 3831, true);
  CHECK_EQ(w.at(Mark::kMin), 64);
  set_watermarks(w, kPagesPerGib * 4, 229376, 3831, true);
  CHECK_EQ(w.at(Mark::kMin), 128);
}

QUARRY_TEST(Watermark, lowmem_reserve_by_ratio) {
  // DMA, DMA32, Normal as on a PC of 8 GiB.
  constexpr uint64_t kManaged[kZoneTypes] = {3840, 765000, 1310720, 0, 0};
  constexpr long kWanted[3][kZoneTypes] = {
      {0, 2988, 8108, 8108, 8108}, {0, 0, 5120, 5120, 5120}, {0, 0, 0, 0, 0}};
  for (uint8_t type = 0; type != 3; ++type) {
    Watermarks w;
    set_lowmem_reserve(w, ZoneType(type), kManaged);
    for (unsigned highest = 0; highest != kZoneTypes; ++highest) {
      CHECK_EQ(w.lowmem_reserve[highest], kWanted[type][highest]);
    }
  }
}

QUARRY_TEST(Watermark, lowmem_reserve_of_a_32_bit_machine) {
  constexpr uint64_t kManaged[kZoneTypes] = {3840, 0, 221184, 262144, 0};
  Watermarks w;
  set_lowmem_reserve(w, ZoneType::kNormal, kManaged);
  CHECK_EQ(w.lowmem_reserve[3], 8192);
  set_lowmem_reserve(w, ZoneType::kDma, kManaged);
  CHECK_EQ(w.lowmem_reserve[2], 864);
  CHECK_EQ(w.lowmem_reserve[3], 1888);
  set_lowmem_reserve(w, ZoneType::kDma32, kManaged);  // has no pages: keeps nothing
  CHECK_EQ(w.lowmem_reserve[3], 0);
}

QUARRY_TEST(Watermark, how_far_each_right_reaches_below_min) {
  CHECK_EQ(lowered_mark(1024, {}), 1024);
  CHECK_EQ(lowered_mark(1024, {.min_reserve = true}), 512);
  CHECK_EQ(lowered_mark(1024, {.non_block = true, .min_reserve = true}), 384);
  CHECK_EQ(lowered_mark(1024, {.non_block = true, .min_reserve = true, .oom = true}), 192);
  CHECK_EQ(lowered_mark(1024, {.non_block = true}), 1024);
  CHECK_EQ(lowered_mark(1024, {.oom = true}), 512);
}

struct Check {
  BuddyCounters free;
  Watermarks w;

  Check(long pages, uint32_t orders) {
    free.free_pages.store(pages);
    free.nonempty.store(orders);
    set_watermarks(w, kPagesPerGib, kPagesPerGib, 4096, false);
  }
  bool ok(unsigned order, AllocFlags flags, ZoneType highest = ZoneType::kNormal) {
    return zone_watermark_ok(free, w, Order(order), highest, flags);
  }
};

constexpr AllocFlags kAtMin{.mark = Mark::kMin};

QUARRY_TEST(WatermarkCheck, free_pages_must_be_above_the_mark) {
  CHECK(Check(1025, 1).ok(0, kAtMin));
  CHECK(!Check(1024, 1).ok(0, kAtMin));
  CHECK(Check(1287, 1).ok(0, {}));
  CHECK(!Check(1286, 1).ok(0, {}));
}

QUARRY_TEST(WatermarkCheck, the_lowmem_reserve_is_that_of_the_zone_asked_for) {
  Check check(1500, 1);
  check.w.lowmem_reserve[2] = 400;
  check.w.lowmem_reserve[3] = 500;
  CHECK(check.ok(0, kAtMin, ZoneType::kDma32));
  CHECK(check.ok(0, kAtMin, ZoneType::kNormal));
  CHECK(!check.ok(0, kAtMin, ZoneType::kHighmem));
}

QUARRY_TEST(WatermarkCheck, a_large_block_needs_its_pages_and_a_list_that_has_it) {
  CHECK(Check(1024 + 8, 1 << 3).ok(3, kAtMin));
  CHECK(!Check(1024 + 7, 1 << 3).ok(3, kAtMin));
  CHECK(!Check(100000, 1 << 2).ok(3, kAtMin));
  CHECK(Check(100000, 1 << 10).ok(3, kAtMin));
}

QUARRY_TEST(WatermarkCheck, highatomic_pages_are_free_for_reserves_only) {
  Check check(1100, 1);
  check.w.highatomic.store(512);
  CHECK(!check.ok(0, kAtMin));
  CHECK(check.ok(0, {.mark = Mark::kMin, .non_block = true}));
  check.free.nonempty_highatomic.store(1 << 5);
  CHECK(!check.ok(2, {.mark = Mark::kMin, .non_block = true}));
  CHECK(check.ok(2, {.mark = Mark::kMin, .non_block = true, .high_atomic = true}));
}

QUARRY_TEST(WatermarkCheck, a_boost_is_on_all_marks_but_not_on_the_reserve) {
  Check check(1400, 1);
  check.w.boost.store(512);
  CHECK(!check.ok(0, kAtMin));
  check.free.free_pages.store(1537);
  CHECK(check.ok(0, kAtMin));
  // Half of 1536 with the boost, half of 1024 without.
  check.free.free_pages.store(600);
  CHECK(check.ok(0, {.mark = Mark::kMin, .min_reserve = true}));
  check.free.free_pages.store(512);
  CHECK(!check.ok(0, {.mark = Mark::kMin, .min_reserve = true}));
}

QUARRY_TEST(Pcp, batch_and_high) {
  CHECK_EQ(pcp_batch(100), 1U);
  CHECK_EQ(pcp_batch(16384), 3U);
  CHECK_EQ(pcp_batch(65536), 15U);
  CHECK_EQ(pcp_batch(262144), 63U);
  CHECK_EQ(pcp_batch(100000000), 63U);
  CHECK_EQ(pcp_high(1286, 1, 63), 1286U);
  CHECK_EQ(pcp_high(1286, 4, 63), 321U);
  CHECK_EQ(pcp_high(1286, 8, 63), 252U);
  CHECK_EQ(PageStacks::refill_count(63, Order(0)), 63U);
  CHECK_EQ(PageStacks::refill_count(63, Order(3)), 7U);
  CHECK_EQ(PageStacks::refill_count(3, Order(3)), 2U);
}

}  // namespace
}  // namespace quarry
