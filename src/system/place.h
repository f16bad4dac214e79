// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

// Who called the function that this stands in: what reports of a public call name.
#define QUARRY_PLACE reinterpret_cast<uintptr_t>(__builtin_return_address(0))
// As a function, for fast paths: the address is loaded only where it is needed.
#define QUARRY_FIND_PLACE \
  []() __attribute__((always_inline)) { return QUARRY_PLACE; }
