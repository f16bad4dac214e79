// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "level.h"

namespace quarry::tool {

// The largest object that comes from slabs; larger ones are whole pages.
inline constexpr uint32_t kMaxSlabObjectBytes = 8192;

// What the traced callers hold in objects, by the sizes that Linux recorded: the same whatever
// allocator the trace is replayed through.
struct LiveBytes {
  Level objects;    // of all sizes, their number
  Level slab;       // granted bytes of those of at most kMaxSlabObjectBytes
  Level requested;  // what was asked for of `slab`
  Level large;      // granted bytes of the others

  void add(uint32_t requested_bytes, uint32_t granted_bytes) {
    objects.add(1);
    if (granted_bytes > kMaxSlabObjectBytes) {
      large.add(granted_bytes);
    } else {
      slab.add(granted_bytes);
      requested.add(requested_bytes);
    }
  }

  void remove(uint32_t requested_bytes, uint32_t granted_bytes) {
    objects.remove(1);
    if (granted_bytes > kMaxSlabObjectBytes) {
      large.remove(granted_bytes);
    } else {
      slab.remove(granted_bytes);
      requested.remove(requested_bytes);
    }
  }
};

}  // namespace quarry::tool
