// SPDX-License-Identifier: MIT
#pragma once

// The address space of the x86-64 kernel; all of it lies in the upper half, which all CPUs share.
//
//   ffff888000000000   direct map: physical address 0 and what follows, RAM only, 2 MiB pages
//   ffffc90000000000   vmalloc, 32 TiB
//   ffffffff80000000   the first GiB of physical memory, in which the image lies
//   ffffffffffe00000   devices

#include <cstdint>

#include "quarry/units.h"

namespace quarry {

inline constexpr uintptr_t kKernelOffset = 0xffff'ffff'8000'0000;
// Physical memory seen at kKernelOffset, already by the tables that boot.S starts with.
inline constexpr uint64_t kBootMapped = kGiB;
inline constexpr uintptr_t kDirectMapBase = 0xffff'8880'0000'0000;
inline constexpr uintptr_t kVmallocStart = 0xffff'c900'0000'0000;
inline constexpr uintptr_t kVmallocEnd = 0xffff'e900'0000'0000;
// All memory is in the direct map.
inline constexpr uintptr_t kKmapStart = 0;
inline constexpr uintptr_t kKmapLocalStart = 0;
inline constexpr unsigned kKmapLocalSlots = 0;
inline constexpr uintptr_t kDeviceWindow = 0xffff'ffff'ffe0'0000;
// One table of 4 KiB pages; the last page of the address space stays free.
inline constexpr unsigned kDevicePages = 511;
// Frames above this have no place in a page table entry's physical addresses of 46 bits.
inline constexpr uint64_t kPhysicalLimit = uint64_t{1} << 46;

}  // namespace quarry
