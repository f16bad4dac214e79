// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "run_result.h"

namespace quarry::tool {

// The tables of one run: what happened, what Quarry's memory did beside Linux's, and where it went.
// Lines of at most 100 columns.
std::string text_report(const RunResult& run);

// One line for each run.
std::string comparison_table(std::span<const RunResult> runs);

}  // namespace quarry::tool
