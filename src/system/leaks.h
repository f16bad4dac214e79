// SPDX-License-Identifier: MIT
#pragma once

#include "system/core.h"

namespace quarry {

// Tells the log which caches hold objects, and of those that note who allocates by whom each was.
// Objects of the system's own are among them until it is shut down. How many. Process context.
uint64_t report_leaks(Core& core);

}  // namespace quarry
