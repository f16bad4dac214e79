// SPDX-License-Identifier: MIT
#pragma once

#include "gfp/zone_table.h"
#include "quarry/units.h"

// Which memory is of which zone on the machine that the core is compiled for: with DMA32, Normal
// begins at 4 GiB, without it at 16 MiB.
namespace harness {

inline constexpr uint64_t kDmaBytes = 16 * quarry::kMiB;
inline constexpr uint64_t kNormalStart = quarry::kHasDma32 ? quarry::Arch::kDma32Limit : kDmaBytes;
// The zone of the memory right above DMA's, and the one that Normal falls back to first.
inline constexpr quarry::ZoneType kAboveDma =
    quarry::kHasDma32 ? quarry::ZoneType::kDma32 : quarry::ZoneType::kNormal;
inline constexpr quarry::ZoneType kBelowNormal =
    quarry::kHasDma32 ? quarry::ZoneType::kDma32 : quarry::ZoneType::kDma;
// Memory from 0 on that is no Normal memory, where a test wants some.
inline constexpr uint64_t kBelowNormalBytes = quarry::kHasDma32 ? 128 * quarry::kMiB : kDmaBytes;

}  // namespace harness
