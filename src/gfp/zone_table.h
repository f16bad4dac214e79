// SPDX-License-Identifier: MIT
#pragma once

// From GFP bits to the highest zone and the migrate type of a request (Linux 6.1, gfp.h).

#include "arch/arch.h"
#include "quarry/gfp.h"

namespace quarry {

// Lower zones are scarcer: a request falls back from its zone to lower ones, never upward.
enum class ZoneType : uint8_t { kDma, kDma32, kNormal, kHighmem, kMovable };
inline constexpr unsigned kZoneTypes = 5;
inline constexpr const char* kZoneNames[kZoneTypes] = {"DMA", "DMA32", "Normal", "HighMem",
                                                       "Movable"};

// What kind of data a pageblock holds; the first three are those that requests name.
enum class MigrateType : uint8_t {
  kUnmovable,
  kMovable,
  kReclaimable,
  kHighAtomic,
  kCma,
  kIsolate
};
inline constexpr unsigned kMigrateTypes = 6;
inline constexpr unsigned kPcpTypes = 3;
inline constexpr const char* kMigrateTypeNames[kMigrateTypes] = {
    "Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate"};

namespace gfp {
inline constexpr Gfp kZoneMask = kDmaBit | kHighmemBit | kDma32Bit | kMovable;
inline constexpr Gfp kReclaimMask = kReclaim | kHigh | kIo | kFs | kNoWarn | kRetryMayfail |
                                    kNoFail | kNoRetry | kMemalloc | kNoMemalloc | kAtomicBit;
inline constexpr Gfp kConstraintMask = kHardwall | kThisNode;
// Not for slabs: the bits make no sense for objects.
inline constexpr Gfp kSlabBugMask = kDma32Bit | kHighmemBit | ~kAllBits;
}  // namespace gfp

inline constexpr bool kHasDma32 = Arch::kDma32Limit != 0;

// False for the eight combinations of zone bits that contradict themselves.
constexpr bool zone_bits_valid(Gfp flags) {
  constexpr uint16_t kValid =
      1u << 0 | 1u << 8 | 1u << 1 | 1u << 9 | 1u << 2 | 1u << 0xa | 1u << 4 | 1u << 0xc;
  return (kValid >> uint32_t(flags & gfp::kZoneMask) & 1) != 0;
}

// The highest zone the request may use. Where all memory is below 4 GiB there is no zone DMA32, and
// who asks for it may have what everybody gets. Contradictory bits are a caller's error (reported
// where requests are checked) and are served from the lowest zone named.
constexpr ZoneType gfp_zone(Gfp flags) {
  if (any(flags, gfp::kDmaBit)) return ZoneType::kDma;
  if (any(flags, gfp::kDma32Bit)) return kHasDma32 ? ZoneType::kDma32 : ZoneType::kNormal;
  if (!any(flags, gfp::kHighmemBit)) return ZoneType::kNormal;
  return any(flags, gfp::kMovable) ? ZoneType::kMovable : ZoneType::kHighmem;
}

constexpr MigrateType gfp_migratetype(Gfp flags) {
  return MigrateType(uint32_t(flags & (gfp::kMovable | gfp::kReclaimable)) >> 3 & 3);
}

constexpr bool gfp_allows_blocking(Gfp flags) { return any(flags, gfp::kDirectReclaim); }

static_assert(gfp_zone(gfp::kKernel) == ZoneType::kNormal);
static_assert(gfp_zone(gfp::kHighUserMovable) == ZoneType::kMovable);
static_assert(gfp_zone(gfp::kHighUser) == ZoneType::kHighmem);
static_assert(gfp_zone(gfp::kMovable) == ZoneType::kNormal);
static_assert(gfp_migratetype(gfp::kMovable) == MigrateType::kMovable);
static_assert(gfp_migratetype(gfp::kReclaimable) == MigrateType::kReclaimable);
static_assert(!zone_bits_valid(gfp::kDmaBit | gfp::kDma32Bit));

}  // namespace quarry
