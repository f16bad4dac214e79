// SPDX-License-Identifier: MIT
#pragma once

// Spin locks of the core. A lock is always taken with interrupts off, so a handler that allocates
// never meets a lock held by the code it interrupted. Ranks (base/lock_rank.h) are checked in debug
// builds: a thread takes locks only in increasing rank, except by lock_nested() for locks of one
// rank taken in a documented order.

#include <atomic>

#include "arch/arch.h"
#include "base/assert.h"
#include "base/lock_rank.h"
#include "base/thread_annotations.h"

namespace quarry {

class QUARRY_CAPABILITY("spinlock") SpinLock {
 public:
  constexpr explicit SpinLock(LockRank rank) : rank_(rank) {}
  constexpr SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  // For locks inside zero-initialised structures; before first use, never while held.
  void set_rank(LockRank rank) { rank_ = rank; }

  void lock() QUARRY_ACQUIRE() {
    note_acquire(false);
    acquire();
  }
  void lock_nested() QUARRY_ACQUIRE() {
    note_acquire(true);
    acquire();
  }
  void unlock() QUARRY_RELEASE() {
    note_release();
    word_.store(0, std::memory_order_release);  // pairs with the exchange in acquire()
  }
  bool is_locked() const { return word_.load(std::memory_order_relaxed) != 0; }

 private:
  void acquire() {
    unsigned spins = 0;
    while (word_.exchange(1, std::memory_order_acquire) != 0) {
      while (word_.load(std::memory_order_relaxed) != 0) Arch::relax(spins++);
    }
  }

  void note_acquire(bool same_rank_allowed) const {
    if constexpr (!kDebugBuild) return;
    quarry_context& context = Arch::context();
    // Beyond what is noted only locks of lock_all() follow, which takes them in order.
    if (context.held_locks != 0 && context.held_locks <= QUARRY_MAX_HELD_LOCKS) {
      const uint8_t top = context.held_rank[context.held_locks - 1];
      const uint8_t rank = static_cast<uint8_t>(rank_);
      QUARRY_CHECK(top < rank || (same_rank_allowed && top == rank));
    }
    if (context.held_locks < QUARRY_MAX_HELD_LOCKS) {
      context.held_rank[context.held_locks] = static_cast<uint8_t>(rank_);
    }
    ++context.held_locks;
  }

  void note_release() const {
    if constexpr (!kDebugBuild) return;
    quarry_context& context = Arch::context();
    QUARRY_CHECK(context.held_locks != 0);
    --context.held_locks;
  }

  std::atomic<uint32_t> word_{0};
  LockRank rank_{};
};

// Interrupts off for a scope.
class IrqGuard {
 public:
  IrqGuard() : state_(Arch::irq_save()) {}
  ~IrqGuard() { Arch::irq_restore(state_); }
  IrqGuard(const IrqGuard&) = delete;
  IrqGuard& operator=(const IrqGuard&) = delete;

 private:
  unsigned long state_;
};

// A lock and interrupts off for a scope.
class QUARRY_SCOPED_CAPABILITY LockGuard {
 public:
  explicit LockGuard(SpinLock& lock) QUARRY_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~LockGuard() QUARRY_RELEASE() { lock_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  IrqGuard irq_;
  SpinLock& lock_;
};

}  // namespace quarry
