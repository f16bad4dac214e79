// SPDX-License-Identifier: MIT
// What one replay found, in plain numbers, for the reports.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "level.h"
#include "linux_footprint.h"
#include "live_bytes.h"
#include "machine_spec.h"
#include "target.h"
#include "trace_events.h"

namespace quarry::tool {

// Allocations of one kind: live == allocations - frees - inferred_frees,
// and of page blocks one more for each that was split.
struct KindCounts {
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t inferred_frees = 0;
  uint64_t failed = 0;  // allocations that Linux got and this machine did not
  uint64_t live = 0;

  void add() { ++allocations, ++live; }
  void remove(bool inferred) { ++(inferred ? inferred_frees : frees), --live; }
};

// Frees of something whose allocation is not in the trace. None is replayed.
struct UnmatchedFrees {
  uint64_t before_trace = 0;       // allocated before the recording began
  uint64_t hidden_allocation = 0;  // allocated by a call that Linux has no event for
  uint64_t unexplained = 0;        // areas and per-CPU memory: one of these two
  uint64_t dead_slots = 0;         // the trace frees a slot that is not live

  uint64_t total() const { return before_trace + hidden_allocation + unexplained + dead_slots; }
};

// What the objects in one cache held, beside the pages of its slabs.
struct CacheUse {
  uint64_t objects = 0;
  uint64_t requested_bytes = 0;
  uint64_t slab_pages = 0;
};

// What the per-CPU object arrays of all caches did.
struct ArrayTotals {
  uint64_t hits = 0;     // allocations and frees that took one step
  uint64_t refills = 0;  // allocations that found an empty array
  uint64_t flushes = 0;  // frees that found a full one

  // Of all allocations and frees, 0 to 1; 0 of none.
  double hit_rate() const {
    const uint64_t all = hits + refills + flushes;
    return all == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(all);
  }
};

struct RunResult {
  std::string trace;  // as it was named on the command line
  std::string name;   // the same without folder and endings
  std::string title;
  std::string source;
  unsigned trace_cpus = 0;
  uint64_t duration_ns = 0;
  MachineSpec machine;

  uint64_t events = 0;
  std::array<uint64_t, kOpCount> events_by_op{};
  std::array<uint64_t, kContextCount> events_by_context{};

  KindCounts kmalloc;        // objects of kmalloc
  KindCounts cache_objects;  // objects of named caches
  KindCounts blocks;         // replayed page blocks
  KindCounts backing;        // page blocks of Linux's own allocators: followed, not replayed
  KindCounts vmalloc;
  KindCounts ranges;  // address ranges without memory
  KindCounts percpu;  // counted, not replayed
  UnmatchedFrees unmatched;

  LiveBytes live;
  Level block_pages;    // in replayed page blocks
  Level vmalloc_bytes;  // without guard pages
  Level percpu_bytes;
  LinuxFootprint linux_pages;
  std::optional<uint64_t> linux_free_slot_bytes_at_start;

  uint64_t peak_slab_pages = 0;
  uint64_t end_slab_pages = 0;
  std::vector<CacheState> caches;       // at the end
  std::vector<CacheUse> use_near_peak;  // by cache id, when slabs held 99 % of their peak
  std::vector<CacheUse> use_at_end;     // by cache id
  std::string report;                   // of the machine while it ran; empty: nothing to say
  std::string buddyinfo;                // at the end

  std::chrono::nanoseconds replay_time{0};  // of the events alone, unpacked and parsed on the way
  double ns_per_event = 0;                  // of that and the header
  int64_t machine_ns = 0;  // to set the machine up, its memory backed by the host: not in the above
  uint64_t layout_hash = 0;
  std::string validate;  // "ok", or what is wrong

  ArrayTotals array_totals() const {
    ArrayTotals totals;
    for (const CacheState& cache : caches) {
      totals.hits += cache.info.array_hits;
      totals.refills += cache.info.array_refills;
      totals.flushes += cache.info.array_flushes;
    }
    return totals;
  }

  uint64_t failed_allocations() const {
    return kmalloc.failed + cache_objects.failed + blocks.failed + vmalloc.failed + ranges.failed;
  }
};

}  // namespace quarry::tool
