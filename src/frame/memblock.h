// SPDX-License-Identifier: MIT
#pragma once

// Physical memory before the page allocator exists: which ranges are memory, on which node, and
// which parts are taken. Sorted arrays of fixed size, nothing is allocated.
//
//   memory     disjoint, sorted; neighbours that touch have different nodes
//   reserved   disjoint, sorted; neighbours that touch are one region
//   free       memory minus reserved
//
// Not thread-safe: used by one CPU while it boots.

#include <cstddef>
#include <cstdint>

#include "quarry/platform.h"

namespace quarry {

// [start, end) in bytes.
struct MemoryRegion {
  uint64_t start;
  uint64_t end;
  NodeId node;  // kNoNode in reserved regions
};

class RegionList {
 public:
  static constexpr unsigned kMaxRegions = 128;

  unsigned size() const { return count_; }
  const MemoryRegion& operator[](unsigned i) const { return region_[i]; }
  const MemoryRegion* begin() const { return region_; }
  const MemoryRegion* end() const { return region_ + count_; }

  // Makes [start, end) part of the list. What was there before keeps its node; pieces that touch
  // and have one node become one region. False: more regions than there is room for, nothing
  // changed.
  bool add(uint64_t start, uint64_t end, NodeId node);
  // Takes [start, end) out; what was not in the list is ignored. False as in add().
  bool remove(uint64_t start, uint64_t end);
  // Number of the first region that ends above `address`; size() if there is none.
  unsigned first_ending_above(uint64_t address) const;
  uint64_t bytes() const;

 private:
  void insert(unsigned at, const MemoryRegion& region);
  void erase(unsigned at);
  void merge(unsigned first, unsigned last);

  MemoryRegion region_[kMaxRegions];
  unsigned count_ = 0;
};

class Memblock {
 public:
  // Declares memory; overlapping declarations merge, the earlier one's node stays. False: too many
  // regions. Bytes need not be page-aligned; a page counts as memory only where all of it is.
  bool add(PhysAddr start, uint64_t bytes, NodeId node);
  bool reserve(PhysAddr start, uint64_t bytes);
  // Takes a reservation back, and forgets memory. What is not reserved (memory) is ignored.
  bool release(PhysAddr start, uint64_t bytes);
  bool remove(PhysAddr start, uint64_t bytes);
  // All ranges of a platform as far as the CPU can see them, and the reservation of frame 0.
  bool add_all(const Platform& platform);

  // Reserves `bytes` of free memory, aligned to a power of two, inside [low, high), from the lowest
  // or the highest address that fits; of one node unless `node` is kNoNode. 0: none fits.
  PhysAddr alloc_lowest(uint64_t bytes, uint64_t align, PhysAddr low, PhysAddr high, NodeId node);
  PhysAddr alloc_highest(uint64_t bytes, uint64_t align, PhysAddr low, PhysAddr high, NodeId node);

  // Calls `visit(MemoryRegion)` for each free range, ascending, split where the node changes.
  template <class Visit>
  void for_each_free(Visit&& visit) const {
    MemoryRegion piece{0, 0, kNoNode};
    while (next_free(piece)) visit(static_cast<const MemoryRegion&>(piece));
  }

  const RegionList& memory() const { return memory_; }
  const RegionList& reserved() const { return reserved_; }

 private:
  // The free range behind `piece.end`. False: none.
  bool next_free(MemoryRegion& piece) const;

  RegionList memory_;
  RegionList reserved_;
};

// Memory for the allocator's own tables, taken before the page allocator starts: one range that
// grows upwards, from the lowest address that fits above 16 MiB where there is more than 64 MiB of
// memory, else from the lowest. It depends on the sizes asked for and on nothing else.
class BootMemory {
 public:
  // Only memory below `limit` is directly mapped. Both references must last while this is used.
  BootMemory(Memblock& memblock, const Platform& platform, PhysAddr limit);

  // Zeroed, directly mapped, for ever, in whole cache lines. Null: not enough memory. `align`:
  // power of two.
  void* alloc(uint64_t bytes, size_t align = 64);
  template <class T>
  T* alloc_array(size_t count) {
    return static_cast<T*>(alloc(uint64_t{count} * sizeof(T), alignof(T) > 64 ? alignof(T) : 64));
  }

  Memblock& memblock() { return memblock_; }

 private:
  Memblock& memblock_;
  uintptr_t direct_base_;
  PhysAddr floor_;
  PhysAddr limit_;
  bool zeroed_;
};

}  // namespace quarry
