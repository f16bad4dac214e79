// SPDX-License-Identifier: MIT
#pragma once

// The free blocks of one page of SLOB, written into the free memory itself. Pure: it works on a
// page that it is handed and takes no lock.
//
// A page is 2048 units of 2 bytes. A free block begins with its length and the unit at which the
// next one begins; a block of a single unit has only room for the latter, negated:
//
//   length > 1    unit[0] == length, unit[1] == next
//   length == 1   unit[0] == -next
//
// Blocks are linked in the order of addresses. The last one's next is the end of the page, 2048.
//
//   free.units == sum over blocks of length        free.bound >= every length
//   block + length < next                          (neighbours are one block)
//
// The bound is what lets a search pass by a page that cannot serve a request: a search that failed
// knows the longest block, a block that comes back raises the bound, and nothing else has to keep
// it exact.

#include "arch/arch.h"

namespace quarry {

inline constexpr unsigned kSlobUnitBytes = sizeof(int16_t);
inline constexpr unsigned kSlobUnits = kPageBytes / kSlobUnitBytes;
static_assert(kSlobUnits <= INT16_MAX, "an offset has to fit into a unit");

constexpr unsigned slob_units(size_t bytes) {
  return static_cast<unsigned>((bytes + kSlobUnitBytes - 1) / kSlobUnitBytes);
}

// What is known of a page's free blocks without looking into it.
struct SlobFree {
  uint16_t units;  // free in all
  uint16_t bound;  // no block is longer; at most `units`
  uint16_t first;  // unit at which the first block begins; kSlobUnits: the page is full
};

// A block that is wanted, in units.
struct SlobWish {
  unsigned units;
  unsigned align;     // power of two
  unsigned align_at;  // what has to be aligned lies so far behind the block's begin
};

class SlobBlocks {
 public:
  // `page`: its first byte, page-aligned.
  SlobBlocks(void* page, SlobFree& free) : unit_(static_cast<int16_t*>(page)), free_(free) {}

  static constexpr unsigned kNone = kSlobUnits;

  // Makes all of the page one free block.
  void init() { make_only(0, kSlobUnits); }
  // Makes this the only free block of a page that was full.
  void make_only(unsigned at, unsigned units) {
    write(at, units, kSlobUnits);
    free_ = {static_cast<uint16_t>(units), static_cast<uint16_t>(units), static_cast<uint16_t>(at)};
  }

  // First fit: the unit at which the block begins, or kNone. What alignment leaves in front of it
  // stays free.
  unsigned take(const SlobWish& wish) {
    unsigned longest = 0;
    unsigned before = kNone;
    for (unsigned at = free_.first; at != kSlobUnits;) {
      const Block block = read(at);
      if (block.units >= wish.units) {
        const unsigned lead = -(at + wish.align_at) & (wish.align - 1);
        if (block.units >= wish.units + lead) {
          cut(before, at, block, lead, wish.units);
          return at + lead;
        }
      }
      if (block.units > longest) longest = block.units;
      before = at;
      at = block.next;
    }
    free_.bound = static_cast<uint16_t>(longest);
    return kNone;
  }

  // Takes a block back. False: some of it is free already, or outside of the page; nothing is done.
  bool put(unsigned at, unsigned units) {
    unsigned before = kNone;
    Block previous{};
    unsigned next = free_.first;
    while (next < at) {
      before = next;
      previous = read(before);
      next = previous.next;
    }
    const bool has_previous = before != kNone;
    if (at + units > next || (has_previous && before + previous.units > at)) return false;
    free_.units = static_cast<uint16_t>(free_.units + units);
    if (next != kSlobUnits && at + units == next) {
      const Block following = read(next);
      units += following.units;
      next = following.next;
    }
    if (has_previous && before + previous.units == at) {
      at = before;
      units += previous.units;
    } else {
      link(before, at);
    }
    write(at, units, next);
    if (units > free_.bound) free_.bound = static_cast<uint16_t>(units);
    return true;
  }

  // Calls `visit(at, units)` for each block. False, at once: the blocks are not as they should be.
  template <class Visit>
  bool for_each(Visit&& visit) const {
    unsigned end_before = 0;  // behind the block before; two that touch would be one
    for (unsigned at = free_.first; at != kSlobUnits;) {
      if (at > kSlobUnits || (at <= end_before && at != free_.first)) return false;
      const Block block = read(at);
      end_before = at + block.units;
      if (block.units == 0 || end_before > kSlobUnits) return false;
      visit(at, block.units);
      at = block.next;
    }
    return true;
  }

 private:
  struct Block {
    unsigned units;
    unsigned next;
  };

  Block read(unsigned at) const {
    const int value = unit_[at];
    if (value <= 0) return {1, static_cast<unsigned>(-value)};
    // A negative offset is none that was written: as an unsigned number it is beyond every page.
    return {static_cast<unsigned>(value), static_cast<unsigned>(int{unit_[at + 1]})};
  }
  void write(unsigned at, unsigned units, unsigned next) {
    const auto link = static_cast<int16_t>(next);
    if (units == 1) {
      unit_[at] = static_cast<int16_t>(-link);
    } else {
      unit_[at] = static_cast<int16_t>(units);
      unit_[at + 1] = link;
    }
  }
  // Makes `next` follow the block at `before`, or the first if that is kNone.
  void link(unsigned before, unsigned next) {
    if (before == kNone) {
      free_.first = static_cast<uint16_t>(next);
    } else if (unit_[before] <= 0) {
      unit_[before] = static_cast<int16_t>(-static_cast<int>(next));
    } else {
      unit_[before + 1] = static_cast<int16_t>(next);
    }
  }
  // Takes `units` out of the block at `at`, all but the first `lead` of it.
  void cut(unsigned before, unsigned at, const Block& block, unsigned lead, unsigned units) {
    const unsigned rest = block.units - lead - units;
    unsigned next = block.next;
    if (rest != 0) {
      next = at + lead + units;
      write(next, rest, block.next);
    }
    lead != 0 ? write(at, lead, next) : link(before, next);
    free_.units = static_cast<uint16_t>(free_.units - units);
    if (free_.bound > free_.units) free_.bound = free_.units;
  }

  int16_t* unit_;
  SlobFree& free_;
};

}  // namespace quarry
