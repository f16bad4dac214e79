// SPDX-License-Identifier: MIT
#pragma once

#include "base/text_sink.h"
#include "quarry/gfp.h"

namespace quarry {

// Flags as the kernel's %pGg writes them: "GFP_KERNEL|__GFP_ZERO". Composite names are used where
// all their bits are there; what has no name follows as one hexadecimal number. Nothing for 0.
void print_gfp(TextSink& out, Gfp gfp);

}  // namespace quarry
