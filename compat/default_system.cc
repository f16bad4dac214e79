// SPDX-License-Identifier: MIT
#include "default_system.h"

namespace quarry {

constinit MemorySystem default_system;

}  // namespace quarry
