// SPDX-License-Identifier: MIT
#pragma once

// The address space of the i386 kernel.
//
//   c0000000   direct map: the first 896 MiB of physical memory, 4 MiB pages; the image lies in it
//   f8800000   vmalloc, 8 MiB behind the direct map
//   ff800000   kmap: 1024 slots
//   ffc00000   kmap_local: 16 slots for each CPU
//   ffe00000   devices

#include <cstdint>

#include "quarry/units.h"

namespace quarry {

inline constexpr uintptr_t kKernelOffset = 0xc000'0000;
// Physical memory seen at kKernelOffset, already by the tables that boot.S starts with.
inline constexpr uint64_t kBootMapped = 896 * kMiB;
inline constexpr uintptr_t kDirectMapBase = kKernelOffset;
inline constexpr uintptr_t kVmallocStart = 0xf880'0000;
inline constexpr uintptr_t kVmallocEnd = 0xff7f'e000;
inline constexpr uintptr_t kKmapStart = 0xff80'0000;
inline constexpr uintptr_t kKmapLocalStart = 0xffc0'0000;
inline constexpr unsigned kKmapLocalSlots = 16;
inline constexpr uintptr_t kDeviceWindow = 0xffe0'0000;
// The upper half of the table that ends the address space, whose last page stays free.
inline constexpr unsigned kDevicePages = 511;
// Without PAE a page table entry has 32 bits.
inline constexpr uint64_t kPhysicalLimit = uint64_t{1} << 32;

}  // namespace quarry
