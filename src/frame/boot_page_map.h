// SPDX-License-Identifier: MIT
#pragma once

#include "frame/memblock.h"
#include "frame/page_map.h"

namespace quarry {

// Makes descriptors and sections for all memory of boot.memblock(), from `boot`. No pageblock has a
// zone yet. False: not enough memory for them.
bool boot_page_map(PageMap& map, BootMemory& boot, const Platform& platform);

}  // namespace quarry
