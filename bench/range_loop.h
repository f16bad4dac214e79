// SPDX-License-Identifier: MIT
// The loop over large, page-granular memory: get a range, touch every page, give it back.
#pragma once

#include <cstddef>

#include "allocator.h"

namespace quarry::bench {

inline constexpr std::size_t kPageBytes = 4096;

// R::map(bytes) returns null when it fails; R::unmap(range, bytes) gives the range back.
template <class R>
void touched_range(benchmark::State& state) {
  const std::size_t bytes = static_cast<std::size_t>(state.range(0)) * kPageBytes;
  for (auto _ : state) {
    void* range = R::map(bytes);
    if (range == nullptr) {
      state.SkipWithError("no memory for a range");
      break;
    }
    for (std::size_t offset = 0; offset < bytes; offset += kPageBytes) {
      static_cast<volatile char*>(range)[offset] = 1;
    }
    R::unmap(range, bytes);
  }
  count_pairs(state, 1);
}

}  // namespace quarry::bench
