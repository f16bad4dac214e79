// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// Since the machine was measured (measure_clocks()).
uint64_t clock_ns();
// Time starts now.
void start_clock();

}  // namespace quarry
