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

enum class AreaState : uint8_t {
  kBetween,   // being made or ended by one thread
  kUsed,      // what its kind says
  kUnpurged,  // ended; its addresses wait for the next area of its size (Linux's word)
};

// A piece of the vmalloc range. Its last page is the guard: never mapped. What it shows is
// `frame_count` frames from its start on. Addresses and state are guarded by the map's lock; the
// rest is the thread's that makes or ends it, and constant while it is in use.
struct Area : AddressRange {
  static constexpr unsigned kInlineFrames = 6;

  union {
    uint32_t* frames = nullptr;  // frame numbers; inline_frames or memory of their own
    Area* next_unpurged;         // kUnpurged: of the same size
  };
  uint32_t frame_count = 0;
  AreaKind kind = AreaKind::kReserved;
  AreaState state = AreaState::kBetween;
  uintptr_t caller = 0;
  uint32_t inline_frames[kInlineFrames] = {};
};

static_assert(sizeof(Area) <= 96, "an area is one object of kmalloc-96");

// Which addresses of the vmalloc range are free and which are whose.
//
//   free ranges + areas == the range                     bytes, without overlap
//   areas of state kUnpurged == areas in the pools == unpurged_count_ <= kMostUnpurged
//
// An area that ends keeps its addresses and its place in the tree, unpurged, in the pool of its
// size: the next area of that size is the one that ended last. That spares both the search for a
// free range and the changes of two trees. What is in the pools fragments the range, so they are
// bounded by size and number, and are purged when they are full or no free range fits.
//
// Nodes of free ranges are Areas too, so that giving back needs no memory.
class AreaMap {
 public:
  using Unused = RangeTree::Unused;

  static constexpr size_t kMostPooledPages = 256;  // of an area in a pool, without the guard
  static constexpr unsigned kMostUnpurged = 256;

  // Whether there are pools for areas of its size.
  static bool has_pool(const Area& area) { return pool_index(area.bytes) < kMostPooledPages; }

  constexpr AreaMap() = default;

  // `whole` becomes the one free range.
  void boot(uintptr_t start, uintptr_t end, Area& whole);

  // Any thread; they take the lock for themselves. Areas that they give are kBetween.

  // The unpurged area of `bytes`, guard included, that ended last. Null: there is none.
  Area* reuse(size_t bytes);
  // Gives `area` the lowest free `bytes` at a multiple of `align`. `spare` may be null where the
  // alignment is a page. False: there are none. `unused`: nodes for the caller to free.
  bool reserve(Area& area, size_t bytes, size_t align, Area* spare, Unused& unused);
  // The area is in use.
  void publish(Area& area);
  // It is not any more; its addresses stay reserved. Null: no area of that kind in use starts
  // there.
  Area* withdraw(uintptr_t start, AreaKind kind) { return withdraw(start, kind, kind); }
  Area* withdraw(uintptr_t start, AreaKind kind, AreaKind or_kind);
  // The area is unpurged. False: it is too large, or the pools are full.
  bool keep(Area& area);
  // The addresses of an area are free again.
  Unused give_back(Area& area);

  SpinLock& lock() const QUARRY_RETURN_CAPABILITY(lock_) { return lock_; }

  // The area in use that the address lies in, guard included; null for none.
  const Area* find_locked(uintptr_t address) const QUARRY_REQUIRES(lock_);
  // The area in use, or unpurged, with the lowest start that is not below `address`; null for none.
  const Area* next_locked(uintptr_t address) const QUARRY_REQUIRES(lock_);
  // Whether all that is said above holds; nothing is between. False: `out` has a line about it.
  bool validate_locked(TextSink& out) const QUARRY_REQUIRES(lock_);

  // When no area is left: the nodes of the free ranges, one a call, until null. The map is dead
  // afterwards.
  Area* dismantle();

 private:
  struct ByAddress {
    static bool less(const AddressRange& a, const AddressRange& b) { return a.start < b.start; }
  };
  using AreaTree = RbTree<AddressRange, &AddressRange::node, ByAddress>;

  // By pages without the guard, from 1 on. What is no index: there is no pool.
  static constexpr size_t pool_index(size_t bytes) { return (bytes >> kPageShift) - 2; }
  bool validate_pools_locked(TextSink& out) const QUARRY_REQUIRES(lock_);

  mutable SpinLock lock_{LockRank::kVmalloc};
  RangeTree free_ QUARRY_GUARDED_BY(lock_);
  AreaTree areas_ QUARRY_GUARDED_BY(lock_);
  Area* pool_[kMostPooledPages] QUARRY_GUARDED_BY(lock_) = {};
  unsigned unpurged_count_ QUARRY_GUARDED_BY(lock_) = 0;
  uintptr_t start_ = 0;
  uintptr_t end_ = 0;
};

}  // namespace quarry
