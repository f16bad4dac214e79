// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "quarry/units.h"
#include "x86/boot_info.h"

namespace quarry {

// The kernel's own page tables: the image, the direct map of all usable memory, and the tables for
// devices; nothing in the lower half, so that null pointers fault. From then on this CPU uses them.
// Null, or what is wrong.
const char* build_kernel_map(BootInfo& info);
// The other CPUs take them up in boot.S.

// The topmost table, seen in the direct map.
VirtAddr kernel_map_root();

// Makes physical memory that the kernel does not own visible, uncached, for ever. Stops the machine
// where there is no room left. While one CPU runs.
uintptr_t map_device(uint64_t physical, uint64_t bytes);

}  // namespace quarry
