// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// The kernel's fault-injection attributes (failslab, fail_page_alloc; Linux: fault-injection.rst),
// with the kernel's defaults: an attempt fails when the dice say so.
struct FaultParameters {
  uint32_t interval = 1;     // only every interval-th attempt
  uint32_t probability = 0;  // percent; 0: never
  uint64_t space = 0;        // a budget of bytes (pages) that has to be used up first
  int64_t times = 1;         // how many failures are left; -1: no limit

  uint32_t verbose = 2;  // 0: failures are not reported; 1: without backtrace; 2: with one
  // At most so many reports in so many milliseconds; 0 ms: all.
  uint32_t verbose_ratelimit_interval_ms = 0;
  uint32_t verbose_ratelimit_burst = 10;

  // Which requests are left alone. A request with __GFP_NOFAIL always is.
  bool task_filter = false;        // all but those of tasks that make_it_fail(), outside interrupts
  bool ignore_gfp_wait = true;     // those that may sleep
  bool cache_filter = false;       // objects only: those of caches without QUARRY_SLAB_FAILSLAB
  bool ignore_gfp_highmem = true;  // pages only: those that allow highmem
  uint8_t min_order = 1;           // pages only: those of a smaller order
};

// Of the calling thread (Linux: /proc/self/fail-nth): its n-th attempt from now on to allocate an
// object or a block of pages fails, and is reported unless __GFP_NOWARN is set. 0: no attempt. What
// FaultParameters leave alone is not counted, nor is what is attempted in interrupts. Any context.
void set_fail_nth(uint32_t n);
// Attempts up to the one that fails; 0: it has failed, or none is to.
[[nodiscard]] uint32_t fail_nth();

// Whether task filters let the calling thread's requests fail (Linux: /proc/self/make-it-fail).
void set_make_it_fail(bool fail);
[[nodiscard]] bool make_it_fail();

}  // namespace quarry
