// SPDX-License-Identifier: MIT
// The order in which a batch is freed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "allocator.h"

namespace quarry::bench {

enum class FreeOrder { kFifo, kLifo, kRandom };

// A permutation of 0 … count-1; the same one in every run. All three orders go through such a table
// so that they cost the loop the same.
inline std::vector<std::uint32_t> free_order(FreeOrder order, std::size_t count) {
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0u);
  if (order == FreeOrder::kLifo) {
    std::reverse(indices.begin(), indices.end());
  } else if (order == FreeOrder::kRandom) {
    Random random(1);
    for (std::size_t left = count; left > 1; --left) {
      std::swap(indices[left - 1], indices[random.below(static_cast<std::uint32_t>(left))]);
    }
  }
  return indices;
}

}  // namespace quarry::bench
