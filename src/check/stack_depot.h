// SPDX-License-Identifier: MIT
#pragma once

// Backtraces, each kept once and named by a number of 32 bits (Linux: lib/stackdepot.c). A program
// takes its objects at few places, so there are few backtraces for many objects.
//
// Memory comes from whoever uses the depot, in pools that are given back together when nothing
// that holds a handle is left: hold() and release() count those holders. The first pool starts with
// the hash table and the addresses of all pools.
//
// Locks: lock_ guards everything but the contents of backtraces, which do not change. It is taken
// under the lock that keeps the handle's holder.

#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/units.h"
#include "sync/spinlock.h"

namespace quarry {

class StackDepot {
 public:
  static constexpr size_t kPoolBytes = 16 * kKiB;
  static constexpr size_t kMostFrames = 16;

  constexpr StackDepot() = default;

  // The backtrace's handle. 0: there is no room; add_pool() may make some.
  uint32_t save(std::span<const uintptr_t> frames);
  // Of a handle that its holder holds; empty for 0. A number that is no handle, from memory that
  // was overwritten, gives at most some wrong addresses.
  std::span<const uintptr_t> fetch(uint32_t handle) const;
  // Word-aligned memory of kPoolBytes. False: there are as many pools as there can be.
  bool add_pool(void* memory);

  void hold();
  // The last release() calls give_back(void* memory) for each pool.
  template <class GiveBack>
  void release(GiveBack give_back) {
    unsigned count = 0;
    FirstPool* const first = take_unheld(count);
    // The first one last: it knows the others.
    while (count != 0) give_back(first->pool[--count]);
  }
  unsigned pools() const;

 private:
  static constexpr unsigned kBuckets = 1024;
  static constexpr unsigned kMostPools = 500;

  struct Record {
    uint32_t next;  // of the same bucket
    uint32_t hash;
    uintptr_t count;
    uintptr_t frame[];
  };
  struct FirstPool {
    uint32_t bucket[kBuckets];
    void* pool[kMostPools];
  };
  static_assert(sizeof(FirstPool) <= kPoolBytes / 2);
  static constexpr uint32_t kHandlesInPool = kPoolBytes / sizeof(uintptr_t);

  const Record* record(uint32_t handle) const;
  FirstPool* take_unheld(unsigned& count);

  mutable SpinLock lock_{LockRank::kLeaf};
  FirstPool* first_ = nullptr;  // and pool 0; null: there is none
  unsigned pools_ QUARRY_GUARDED_BY(lock_) = 0;
  size_t used_ QUARRY_GUARDED_BY(lock_) = 0;  // bytes of the newest pool
  unsigned holders_ QUARRY_GUARDED_BY(lock_) = 0;
};

}  // namespace quarry
