// SPDX-License-Identifier: MIT
#pragma once

// Allocations that fail on demand (Linux: lib/fault-inject, documented in fault-injection.rst).
// Each allocator owns one injector and asks it before every attempt. Two things make an attempt
// fail:
//   the task's count-down   quarry_context::fail_nth, lowered by each attempt; the one that brings
//                           it to 0 fails, and attempts before it succeed whatever the dice say.
//                           It counts as one of `times`
//   the dice                FaultParameters, from the same seed always the same
//
// An owner keeps its per-CPU arrays off while active(), so that every attempt is counted. fail_nth
// is in quarry_context::forbidden_gfp, which leads that task's attempts away from the fast paths.

#include <atomic>

#include "base/random.h"
#include "gfp/zone_table.h"
#include "quarry/fault_parameters.h"
#include "sync/report.h"

namespace quarry {

class FaultInjector {
 public:
  // `name` is the kernel's parameter: "failslab", "fail_page_alloc". It must last.
  void init(Reporter& reporter, const char* name, uint64_t seed);

  // Replaces the parameters; the owner turns its arrays off or on afterwards, by active().
  void set_parameters(const FaultParameters& parameters);
  // With `times` and `space` as they are now.
  FaultParameters parameters() const;

  // Whether the dice may let an attempt fail.
  bool active() const { return active_.load(std::memory_order_relaxed); }

  // Counts one attempt to allocate a slab object of `bytes`, or a block of pages. True: it has to
  // fail, and unless the request has __GFP_NOWARN that was reported. Any context. `chosen`: the
  // object's cache has QUARRY_SLAB_FAILSLAB.
  bool should_fail_slab(Gfp gfp, size_t bytes, bool chosen = false);
  bool should_fail_page(Gfp gfp, Order order);

 private:
  bool concerns(Gfp gfp) const;
  bool should_fail(Gfp gfp, uint64_t size);
  bool roll(const quarry_context& context, uint64_t size) QUARRY_REQUIRES(lock_);
  void report(const FaultParameters& p);

  mutable SpinLock lock_{LockRank::kLeaf};
  FaultParameters parameters_ QUARRY_GUARDED_BY(lock_);
  uint32_t attempts_ QUARRY_GUARDED_BY(lock_) = 0;
  Random random_ QUARRY_GUARDED_BY(lock_){0};
  // Copies that are read without the lock: written under it.
  std::atomic<bool> active_{false};
  std::atomic<bool> ignore_wait_{true};
  std::atomic<bool> cache_filter_{false};
  std::atomic<bool> ignore_highmem_{true};
  std::atomic<uint8_t> min_order_{1};
  RateLimit report_limit_{0, 0};
  Reporter* reporter_ = nullptr;
  const char* name_ = "";
};

}  // namespace quarry
