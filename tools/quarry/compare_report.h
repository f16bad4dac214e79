// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "call_figures.h"
#include "engine_figures.h"

namespace quarry::tool {

// The engines and the calls side by side, each with a line that says when to choose it.
std::string comparison_text(std::span<const EngineFigures> engines,
                            std::span<const CallFigures> calls);
// {"engines": [...], "calls": [...]}; sizes are bytes, times nanoseconds.
std::string comparison_json(std::span<const EngineFigures> engines,
                            std::span<const CallFigures> calls);

}  // namespace quarry::tool
