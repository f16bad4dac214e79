// SPDX-License-Identifier: MIT
#pragma once

// Which frames have never been handed out. Where the platform's memory starts zeroed, such a frame
// needs no clearing for __GFP_ZERO, and a host that fills memory on first touch is not made to.
//
// One bit for each frame, set for ever when the frame leaves the buddy system. Bits of a zone are
// guarded by its lock; zones do not share words, because they begin and end at pageblocks.

#include "frame/memblock.h"

namespace quarry {

class FreshFrames {
 public:
  // For frames below `end`. Memory that does not start zeroed has no fresh frames; the table is
  // taken from `boot` all the same, so that what lies behind it lies there on every platform.
  // False: not enough memory.
  bool init(BootMemory& boot, Pfn end, bool memory_is_zeroed) {
    auto* table = boot.alloc_array<uint32_t>((size_t{end.value()} + 31) / 32);
    used_ = memory_is_zeroed ? table : nullptr;
    return table != nullptr;
  }

  // Notes that the frames are handed out. True: all of them for the first time.
  bool take(Pfn first, Order order) {
    if (used_ == nullptr) return false;
    uint32_t* word = used_ + first.value() / 32;
    if (order < Order(5)) {
      const uint32_t mask = ((1U << order.pages()) - 1) << first.value() % 32;
      const bool fresh = (*word & mask) == 0;
      *word |= mask;
      return fresh;
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i != order.pages() / 32; ++i) {
      seen |= word[i];
      word[i] = ~uint32_t{0};
    }
    return seen == 0;
  }

  // Whether none of the kGroup frames from a multiple of kGroup on was ever handed out.
  static constexpr uint32_t kGroup = 32;
  bool all_fresh(Pfn first) const { return used_ != nullptr && used_[first.value() / kGroup] == 0; }

 private:
  uint32_t* used_ = nullptr;
};

}  // namespace quarry
