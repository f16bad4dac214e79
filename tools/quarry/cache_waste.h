// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "run_result.h"

namespace quarry::tool {

// What the slabs of one cache hold beyond what callers asked for: free slots, rounding up to the
// slot's size, and what is left of a slab behind its last object.
struct CacheWaste {
  std::string name;
  uint64_t slot_bytes;
  uint64_t objects;
  uint64_t requested_bytes;
  uint64_t slab_bytes;

  uint64_t wasted_bytes() const {
    return slab_bytes > requested_bytes ? slab_bytes - requested_bytes : 0;
  }
};

// The `count` caches that waste most of `use`, which is one of the run's records; the worst first.
std::vector<CacheWaste> most_wasting_caches(const RunResult& run, const std::vector<CacheUse>& use,
                                            size_t count);

}  // namespace quarry::tool
