// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "x86/machine.h"

namespace quarry {

inline constexpr uint16_t kCodeSelector = 0x08;
inline constexpr uint16_t kDataSelector = 0x10;

// What LGDT and LIDT load.
struct [[gnu::packed]] DescriptorPointer {
  uint16_t limit;
  uintptr_t base;
};

// Makes the CPU that runs use the kernel's segments, and `cpu` through its segment register.
void use_segments(BareCpu& cpu);

}  // namespace quarry
