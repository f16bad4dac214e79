// SPDX-License-Identifier: MIT
#pragma once

// Where the kernel's image lies; the symbols are the linker script's.

#include <cstddef>
#include <cstdint>

#include "port_layout.h"

extern "C" {
extern const char quarry_image_start[];
extern const char quarry_text_start[];
extern const char quarry_text_end[];
extern const char quarry_constants_start[];
extern const char quarry_constants_end[];
extern const char quarry_image_end[];
}

namespace quarry::image {

inline uint64_t physical(const void* symbol) {
  return reinterpret_cast<uintptr_t>(symbol) - kKernelOffset;
}
inline uint64_t physical_start() { return physical(quarry_image_start); }
inline uint64_t bytes() { return static_cast<uint64_t>(quarry_image_end - quarry_image_start); }
inline bool is_code(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(quarry_text_start) <
         static_cast<uintptr_t>(quarry_text_end - quarry_text_start);
}
inline bool is_constant(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(quarry_constants_start) <
         static_cast<uintptr_t>(quarry_constants_end - quarry_constants_start);
}

}  // namespace quarry::image
