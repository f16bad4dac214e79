// SPDX-License-Identifier: MIT
#pragma once

// Who allocated an object, and who freed it: place, backtrace, CPU, task, time.

#include <array>

#include "base/bits.h"
#include "check/stack_depot.h"
#include "sync/report.h"

namespace quarry {

// Linux's unit of an object's age; HZ=250, as distributions build it.
inline constexpr uint32_t kJiffyNs = 4'000'000;
inline uintptr_t jiffies(const Platform& platform) {
  return static_cast<uintptr_t>(div_u64(platform.clock_ns(), kJiffyNs));
}

// As it lies in memory behind an object (Linux 6.1: struct track).
struct Track {
  uintptr_t place;  // 0: nobody yet
  uint32_t stack;   // handle of a StackDepot; 0: it had no room
  int32_t cpu;
  int32_t task;
  uintptr_t when;  // in jiffies
};
static_assert(sizeof(Track) == (sizeof(void*) == 8 ? 32 : 20));

// A backtrace that starts with the function that called the allocator.
struct Backtrace {
  std::array<uintptr_t, StackDepot::kMostFrames> frame;
  size_t count = 0;

  std::span<const uintptr_t> frames() const { return std::span(frame).first(count); }
};
// `place` is in that function. All frames where it is not among them.
Backtrace backtrace_from(const Platform& platform, uintptr_t place);

// "Allocated in main+0x1f age=10 cpu=0 pid=7" and its backtrace; nothing if there is no place.
void print_track(TextSink& out, const Reporter& reporter, const StackDepot& depot, const char* what,
                 const Track& track);

}  // namespace quarry
