// SPDX-License-Identifier: MIT
#pragma once

// The system behind the kernel's C API. It boots before main and is never shut down, so
// constructors and exit handlers may allocate.

#include "quarry/default_system.h"
#include "system/core.h"
#include "system/place.h"

namespace quarry {

// Its rooms. Their calls take the place that reports name: whoever called the kernel's function.
inline Core& default_core() { return Core::of(default_system); }

}  // namespace quarry
