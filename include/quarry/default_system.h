// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/memory_system.h"

namespace quarry {

// The system behind the kernel's C API (include/compat). In a process it has booted when main
// begins. A kernel of its own boots it before it calls that API for the first time.
[[gnu::visibility("hidden")]] extern constinit MemorySystem default_system;

}  // namespace quarry
