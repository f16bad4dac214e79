// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "run_result.h"

namespace quarry::tool {

// Replays of one trace through several slab engines, side by side.
std::string engine_table(std::span<const RunResult> runs);

}  // namespace quarry::tool
