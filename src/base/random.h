// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

#include "base/assert.h"

namespace quarry {

// A seeded sequence of pseudo-random numbers: the same seed gives the same numbers on every
// machine. Not for secrets. The algorithms are xoshiro256** with a state filled by SplitMix64
// (Blackman and Vigna, https://prng.di.unimi.it).
class Random {
 public:
  explicit constexpr Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      word = split_mix(seed);
    }
  }

  constexpr uint64_t next_u64() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  constexpr uint32_t next_u32() { return static_cast<uint32_t>(next_u64() >> 32); }

  // A number in [0, limit), uniform up to one part in 2^32 / limit. Requires limit > 0.
  constexpr uint32_t below(uint32_t limit) {
    QUARRY_ASSERT(limit > 0);
    return static_cast<uint32_t>((uint64_t{next_u32()} * limit) >> 32);
  }

  // A number in [least, most]. Requires least <= most and a span below 2^32.
  constexpr uint32_t between(uint32_t least, uint32_t most) {
    return least + below(most - least + 1);
  }

  // True once in `n` calls on average. Requires n > 0.
  constexpr bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  static constexpr uint64_t split_mix(uint64_t& state) {
    state += 0x9e3779b97f4a7c15U;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  uint64_t state_[4]{};
};

}  // namespace quarry
