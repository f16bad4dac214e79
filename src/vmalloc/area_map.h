// SPDX-License-Identifier: MIT
#pragma once

#include "base/text_sink.h"
#include "quarry/units.h"
#include "sync/spinlock.h"
#include "vmalloc/range_tree.h"

namespace quarry {

enum class AreaKind : uint8_t {
  kReserved,  // addresses only (Linux: VM_IOREMAP)
  kVmalloc,   // frames of its own (VM_ALLOC)
  kVmap,      // frames of somebody else (VM_MAP)
};

// A piece of the vmalloc range in use. Its last page is the guard: never mapped. What it shows is
// `frame_count` frames from its start on. Constant while it is in the map's tree of areas.
struct Area : AddressRange {
  static constexpr unsigned kInlineFrames = 6;

  uint32_t* frames = nullptr;  // frame numbers; inline_frames or memory of their own
  uint32_t frame_count = 0;
  AreaKind kind = AreaKind::kReserved;
  uintptr_t caller = 0;
  uint32_t inline_frames[kInlineFrames] = {};
};

static_assert(sizeof(Area) <= 96, "an area is one object of kmalloc-96");

// Which addresses of the vmalloc range are free and which are whose. Every address is free, in an
// area of the tree, or between the two: being made or being given back by one thread.
//
//   free ranges + areas + those between == the range                 bytes, without overlap
//
// Nodes of free ranges are Areas too, so that giving back needs no memory.
class AreaMap {
 public:
  using Unused = RangeTree::Unused;

  constexpr AreaMap() = default;

  // `whole` becomes the one free range.
  void boot(uintptr_t start, uintptr_t end, Area& whole);

  // Any thread; they take the lock for themselves.

  // Gives `area` the lowest free `bytes` at a multiple of `align`. `spare` may be null where the
  // alignment is a page. False: there are none. `unused`: nodes for the caller to free.
  bool reserve(Area& area, size_t bytes, size_t align, Area* spare, Unused& unused);
  // The addresses of an area that is in no tree are free again.
  Unused give_back(Area& area);
  // Makes a reserved area known to find_locked().
  void publish(Area& area);
  // Makes it unknown again; the addresses stay reserved. Null: no area of that kind starts there.
  Area* withdraw(uintptr_t start, AreaKind kind) { return withdraw(start, kind, kind); }
  Area* withdraw(uintptr_t start, AreaKind kind, AreaKind or_kind);

  SpinLock& lock() const QUARRY_RETURN_CAPABILITY(lock_) { return lock_; }

  // The area that the address lies in, guard included; null for none.
  const Area* find_locked(uintptr_t address) const QUARRY_REQUIRES(lock_);
  // The area with the lowest start that is not below `address`; null for none.
  const Area* next_locked(uintptr_t address) const QUARRY_REQUIRES(lock_);
  // Whether all that is said above holds; nothing is between. False: `out` has a line about it.
  bool validate_locked(TextSink& out) const QUARRY_REQUIRES(lock_);

  // When no area is left and nothing is between: the nodes of the free ranges, one a call, until
  // null. The map is dead afterwards.
  Area* dismantle();

 private:
  struct ByAddress {
    static bool less(const AddressRange& a, const AddressRange& b) { return a.start < b.start; }
  };
  using AreaTree = RbTree<AddressRange, &AddressRange::node, ByAddress>;

  mutable SpinLock lock_{LockRank::kVmalloc};
  RangeTree free_ QUARRY_GUARDED_BY(lock_);
  AreaTree areas_ QUARRY_GUARDED_BY(lock_);
  uintptr_t start_ = 0;
  uintptr_t end_ = 0;
};

}  // namespace quarry
