// SPDX-License-Identifier: MIT
#pragma once

// Read-copy-update: readers mark sections and wait for nobody; who takes something away from them
// waits for a grace period, in which every section that could have seen it ends.
//
// Sections are counted, not threads. Each CPU has, for each of two indices, how many sections were
// entered and how many were left; a section is counted under the index that was current when it
// began, and its token says which. It may end on another CPU, so only sums mean something:
//
//   sum over CPUs of entered[i] - sum over CPUs of left[i] == sections of index i
//
// A grace period: no sections of the other index, which stragglers may have entered; the index
// changes; no sections of the one before. New readers use the new index, so the waiting ends.
//
// Why that is enough. The check reads the sum of `left` first and that of `entered` then. Leaving
// is a release and reading it an acquire, so that for each leaving that was seen its entering is
// seen too: if the sums are equal, every section whose entering was seen has been left, and what it
// did happened before. An entering that was not seen comes later in the order of that counter; both
// sides change the counter (the check adds 0), so the reader sees all that was done before the
// check, and can no longer find what was taken away.
//
// Counters wrap: 2^32 sections of one index would have to be open for a mistake.
//
// Nothing here waits by itself but synchronize() and barrier(): callbacks are run by step(), which
// the port or the program calls, or by whoever waits. They run in softirq context, one at a time,
// in the order in which they were handed over.
//
// Locks: lock_ (kLeaf) guards the queue; stepping_ is held by whoever is in step().

#include <atomic>
#include <cstdint>
#include <span>

#include "quarry/abi/rcu_head.h"
#include "sync/execution_context.h"
#include "sync/report.h"
#include "sync/spinlock.h"

namespace quarry {

using RcuHead = ::callback_head;

// For whom callbacks are run that are no functions. Tags are less than kRcuTags: no function lies
// at such an address. kfree_rcu() uses those below kRcuFreeTags as the head's offset in its memory.
inline constexpr uintptr_t kRcuFreeTags = 4096;
inline constexpr uintptr_t kRcuTags = 4352;

class RcuReceiver {
 public:
  // A grace period has passed since call_tagged(). Softirq context.
  virtual void grace_period_over(RcuHead& head, uintptr_t tag) = 0;

 protected:
  ~RcuReceiver() = default;
};

struct alignas(64) RcuCounters {
  std::atomic<uint32_t> entered[2];
  std::atomic<uint32_t> left[2];
};

class Rcu {
 public:
  constexpr Rcu() = default;
  Rcu(const Rcu&) = delete;
  Rcu& operator=(const Rcu&) = delete;

  // `counters`: one for each CPU, zeroed; they stay the owner's and last.
  void init(Reporter& reporter, RcuReceiver& receiver, std::span<RcuCounters> counters);
  // Whether Platform::wake_background() is called when there is something to do.
  void set_wakes(bool wakes) { wakes_ = wakes; }

  // --- Readers; any context ---

  // The token is for leave(), on any CPU, by the same thread.
  uint32_t enter(const SectionEntry& entry) {
    const uint32_t token = count_entry();
    enter_section(&quarry_context::rcu_depth, entry);
    return token;
  }
  void leave(uint32_t token) {
    leave_section(&quarry_context::rcu_depth);
    count_leaving(token);
  }
  // The same without a token: the thread's context has it, and how deep the sections nest. For one
  // system of the process only.
  void read_lock(const SectionEntry& entry);
  void read_unlock(uintptr_t place);

  // --- Those who wait ---

  // Has function(head) called when a grace period has passed. Any context but NMI.
  void call(RcuHead& head, void (*function)(RcuHead* head));
  void call_tagged(RcuHead& head, uintptr_t tag);
  // Returns when a whole grace period has passed; may sleep. Called in a section, it is reported
  // and returns at once.
  void synchronize(uintptr_t place);
  // Returns when all callbacks have run that were handed over before; may sleep.
  void barrier(uintptr_t place);

  // Does what can be done without waiting. True: something is left, because readers or another
  // caller are in the way. Any context but NMI, no lock of the core held.
  bool step();
  bool idle() const;

  // For fork. No step is under way between stop_steps(), which comes before all locks, and
  // unlock_all(). forget_readers(): in a copy whose other threads are gone, and with them their
  // sections; what the caller's own read before the fork is no longer kept for it.
  void stop_steps();
  void lock_all();
  void unlock_all();
  void forget_readers();

 private:
  // In a token and in quarry_context::rcu_section: index, then the generation of forget_readers(),
  // then the depth.
  static constexpr uint32_t kIndexBit = 1;
  static constexpr uint32_t kOneGeneration = 2;
  static constexpr uint32_t kOneDeep = uint32_t{1} << 16;

  struct Queue {
    RcuHead* first = nullptr;
    RcuHead* last = nullptr;
  };

  RcuCounters& here() const {
    const auto cpu = static_cast<unsigned>(Arch::cpu_id());  // -1 is huge
    return counters_[cpu < cpus_ ? cpu : 0];
  }
  uint32_t count_entry();
  void count_leaving(uint32_t token);
  bool has_readers(uint32_t index);
  bool try_complete();
  void run(Queue due);
  void enqueue(RcuHead& head);
  bool may_wait(uintptr_t place, const char* illegal);
  template <class Done>
  void wait_until(uintptr_t place, Done&& done);

  Reporter* reporter_ = nullptr;
  RcuReceiver* receiver_ = nullptr;
  RcuCounters* counters_ = nullptr;
  unsigned cpus_ = 0;
  bool wakes_ = false;
  std::atomic<uint32_t> index_{0};  // bit 0 counts; written by who steps
  std::atomic<uint32_t> generation_{0};

  SpinLock lock_{LockRank::kLeaf};
  Queue queue_ QUARRY_GUARDED_BY(lock_);  // for the next grace period
  // Of grace periods and of callbacks, as they come; compared as distances.
  std::atomic<uint32_t> wanted_{0};   // someone waits for this many grace periods
  std::atomic<uint32_t> started_{0};  // written under lock_ by who steps
  std::atomic<uint32_t> completed_{0};
  std::atomic<uint32_t> queued_{0};
  std::atomic<uint32_t> invoked_{0};

  std::atomic<bool> stepping_{false};
  // Of who steps:
  Queue current_;  // for the grace period that is under way
  enum class Phase : uint8_t { kIdle, kStragglers, kReaders } phase_ = Phase::kIdle;
};

}  // namespace quarry
