// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "run_result.h"

namespace quarry::tool {

// `{"runs": [...]}`, one object for each run, for programs: names stay, sizes are bytes.
std::string json_report(std::span<const RunResult> runs);

}  // namespace quarry::tool
