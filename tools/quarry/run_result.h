// SPDX-License-Identifier: MIT
// What one replay found, in plain numbers, for the reports.
#pragma once

#include "replay/counts.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "machine_spec.h"
#include "replay_machine.h"
#include "trace_events.h"

namespace quarry::tool {

using replay::KindCounts;
using replay::Level;
using replay::LinuxFootprint;
using replay::UnmatchedFrees;

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

struct RunResult : replay::Counts {
  std::string trace;  // as it was named on the command line
  std::string name;   // the same without folder and endings
  std::string title;
  std::string source;
  unsigned trace_cpus = 0;
  uint64_t duration_ns = 0;
  MachineSpec machine;

  std::optional<uint64_t> linux_free_slot_bytes_at_start;

  uint64_t end_slab_pages = 0;
  std::vector<CacheState> caches;       // at the end
  std::vector<CacheUse> use_near_peak;  // by cache id, when slabs held 99 % of their peak
  std::vector<CacheUse> use_at_end;     // by cache id
  std::string report;                   // of the machine while it ran; empty: nothing to say
  std::map<std::string, std::string> proc_texts;  // by name, at the end

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
};

}  // namespace quarry::tool
