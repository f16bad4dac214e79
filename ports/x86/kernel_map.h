// SPDX-License-Identifier: MIT
#pragma once

// What paging.cc of the two ports and the code that they share know of each other.

#include <cstdint>

#include "arch/arch.h"

namespace quarry {

// Flags of entries (Intel SDM vol. 3A, 4.5) beyond those of Arch::TableFormat::Entry.
inline constexpr uint32_t kUncached = 1u << 3 | 1u << 4;  // write-through, cache disabled

// Entries of the table behind kDeviceWindow, kDevicePages of them.
Arch::TableFormat::Entry* device_entries();

}  // namespace quarry
