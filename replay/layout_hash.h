// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry::replay {

// A number that two replays share when every allocation of the one landed where it landed in the
// other, and almost surely not otherwise. Depends on the order of the steps and on nothing of the
// machine that computes it.
class LayoutHash {
 public:
  void add(uint64_t value) {
    // Multiplication spreads a bit upwards only, the shift brings it down again. The constant is
    // 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 3, section 6.4).
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }

  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 1;
};

}  // namespace quarry::replay
