// SPDX-License-Identifier: MIT
#pragma once

#include "base/rbtree.h"

// The free parts of an address range: an address-ordered red-black tree in which each node knows
// the largest range below it.
//
//   a.start + a.bytes < b.start          for neighbours a, b: they do not overlap or touch
//   largest == max(bytes, largest of both children)
//   free_bytes() == sum of bytes
//
// Hence a range that fits is found in O(log n), and the one at the lowest address is taken (first
// fit): low addresses are reused, high ones stay whole. Nodes belong to the caller, who gets back
// those that merging makes superfluous. Locking is the owner's.
namespace quarry {

// [start, start + bytes); the size is not 0.
struct AddressRange {
  RbNode node{};
  uintptr_t start = 0;
  size_t bytes = 0;
  size_t largest = 0;  // of the ranges in the subtree below `node`; kept by RangeTree
};

class RangeTree {
 public:
  constexpr RangeTree() = default;

  // Nodes that the tree no longer needs; null where there are fewer than two.
  struct Unused {
    AddressRange* node[2] = {};
  };

  struct Taken {
    bool found = false;
    uintptr_t start = 0;
    Unused unused;
  };
  // Takes `bytes` at the lowest address that is a multiple of `align`, a power of two. `spare` is
  // used where a part before and a part behind both remain, and else given back; it may be null if
  // starts and sizes of all ranges are multiples of `align`.
  Taken take(size_t bytes, size_t align, AddressRange* spare);

  // Adds a range that overlaps none, and merges it with its neighbours.
  Unused give(AddressRange& range);

  // In order of address; null where there is none.
  AddressRange* first() const { return tree_.first(); }
  AddressRange* next(const AddressRange& range) const { return tree_.next(range); }
  void remove(AddressRange& range);

  size_t free_bytes() const { return free_bytes_; }

  // Whether the equations above and the tree's own hold. O(n).
  bool validate() const;

 private:
  struct Traits {
    static bool less(const AddressRange& a, const AddressRange& b) { return a.start < b.start; }
    static bool recompute(AddressRange& range, const AddressRange* left, const AddressRange* right);
  };

  AddressRange* leftmost_fit(AddressRange* subtree, size_t bytes) const;
  AddressRange* next_fit(const AddressRange& after, size_t bytes) const;
  Taken cut(AddressRange& range, uintptr_t start, size_t bytes, AddressRange* spare);

  RbTree<AddressRange, &AddressRange::node, Traits> tree_;
  size_t free_bytes_ = 0;
};

}  // namespace quarry
