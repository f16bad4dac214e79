// SPDX-License-Identifier: MIT
#include "x86/clock.h"

#include "quarry/bits.h"
#include "x86/cpu.h"
#include "x86/machine.h"

namespace quarry {
namespace {

constinit uint64_t start = 0;

}  // namespace

void start_clock() { start = read_tsc(); }

uint64_t clock_ns() {
  constexpr uint32_t kNsPerMs = 1'000'000;
  return muldiv(read_tsc() - start, kNsPerMs, machine.tsc_per_ms);
}

}  // namespace quarry
