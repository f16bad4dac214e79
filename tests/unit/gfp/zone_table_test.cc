// SPDX-License-Identifier: MIT
#include "gfp/zone_table.h"

#include "harness.h"

namespace quarry {
namespace {

// Linux 6.1, GFP_ZONE_TABLE, GFP_ZONE_BAD and OPT_ZONE_DMA32.
QUARRY_TEST(GfpZone, every_combination_of_zone_bits) {
  struct Row {
    uint32_t bits;
    bool valid;
    ZoneType zone;
  };
  constexpr ZoneType kDma32 = kHasDma32 ? ZoneType::kDma32 : ZoneType::kNormal;
  constexpr Row kTable[16] = {
      {0x0, true, ZoneType::kNormal},
      {0x1, true, ZoneType::kDma},
      {0x2, true, ZoneType::kHighmem},
      {0x3, false, ZoneType::kDma},
      {0x4, true, kDma32},
      {0x5, false, ZoneType::kDma},
      {0x6, false, kDma32},
      {0x7, false, ZoneType::kDma},
      {0x8, true, ZoneType::kNormal},
      {0x9, true, ZoneType::kDma},
      {0xa, true, ZoneType::kMovable},
      {0xb, false, ZoneType::kDma},
      {0xc, true, kDma32},
      {0xd, false, ZoneType::kDma},
      {0xe, false, kDma32},
      {0xf, false, ZoneType::kDma},
  };
  for (const Row& row : kTable) {
    // Other bits make no difference.
    for (uint32_t others : {0U, uint32_t(gfp::kKernel | gfp::kZero), uint32_t(gfp::kAtomic)}) {
      const auto flags = Gfp(row.bits | others);
      CHECK_EQ(zone_bits_valid(flags), row.valid);
      CHECK_EQ(gfp_zone(flags), row.zone);
    }
  }
}

QUARRY_TEST(GfpZone, migrate_type_of_the_mobility_bits) {
  CHECK_EQ(gfp_migratetype(gfp::kKernel), MigrateType::kUnmovable);
  CHECK_EQ(gfp_migratetype(gfp::kHighUserMovable), MigrateType::kMovable);
  CHECK_EQ(gfp_migratetype(gfp::kKernel | gfp::kReclaimable), MigrateType::kReclaimable);
}

QUARRY_TEST(GfpZone, only_direct_reclaim_means_blocking) {
  CHECK(gfp_allows_blocking(gfp::kKernel));
  CHECK(gfp_allows_blocking(gfp::kNoIo));
  CHECK(!gfp_allows_blocking(gfp::kAtomic));
  CHECK(!gfp_allows_blocking(gfp::kNoWait));
  CHECK(!gfp_allows_blocking(gfp::kIo | gfp::kFs));
}

QUARRY_TEST(GfpZone, internal_masks) {
  CHECK_EQ(uint32_t(gfp::kZoneMask), 0xfU);
  CHECK_EQ(uint32_t(gfp::kSlabBugMask), 0xf8000006U);
  CHECK_EQ(uint32_t(gfp::kConstraintMask), 0x300000U);
}

}  // namespace
}  // namespace quarry
