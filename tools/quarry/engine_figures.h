// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planted_bugs.h"

namespace quarry::tool {

// What was measured of one slab engine on this host.
struct EngineFigures {
  std::string engine;

  // Slab memory over live objects, at the peaks of a replay.
  struct TraceUse {
    std::string trace;
    uint64_t slab_bytes;
    uint64_t live_bytes;
  };
  std::vector<TraceUse> traces;

  // Objects of 16 to 1024 bytes: requested, and what slabs took; then with three of four freed.
  uint64_t mixed_requested_bytes = 0;
  uint64_t mixed_slab_bytes = 0;
  uint64_t sparse_requested_bytes = 0;
  uint64_t sparse_slab_bytes = 0;
  // What an object of 64 bytes takes beyond them.
  double kmalloc64_overhead_bytes = 0;
  double cache64_overhead_bytes = 0;

  uint64_t idle_bytes = 0;          // not free on an idle machine of 64 MiB
  uint64_t smallest_ram_bytes = 0;  // of the machines tried that boot and serve

  // Nanoseconds of one allocation and one free, 64 bytes.
  double pair_ns = 0;        // one after the other
  double cache_pair_ns = 0;  // the same of a cache
  double batch_ns = 0;       // 1000 allocated, then freed in the same order
  double random_ns = 0;      // 1000 allocated, then freed in any order

  std::vector<PlantedBug> bugs;

  unsigned noticed_bugs() const;
  unsigned noticed_bugs_debugged() const;
};

// All but the traces.
EngineFigures measure_engine(unsigned engine);

}  // namespace quarry::tool
