// SPDX-License-Identifier: MIT

// The default system of a kernel that is not one of ours: that kernel boots it.

#include "default_system.h"

namespace quarry {

constinit MemorySystem default_system;

}  // namespace quarry
