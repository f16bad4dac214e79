// SPDX-License-Identifier: MIT
#include "sync/rcu.h"

namespace quarry {

namespace {

constexpr bool is_before(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }

// How long to look again before readers count as readers that never end, where nobody runs who
// could be one.
constexpr unsigned kFutileTurns = 1 << 16;

}  // namespace

void Rcu::init(Reporter& reporter, RcuReceiver& receiver, std::span<RcuCounters> counters) {
  reporter_ = &reporter;
  receiver_ = &receiver;
  counters_ = counters.data();
  cpus_ = static_cast<unsigned>(counters.size());
}

uint32_t Rcu::count_entry() {
  const uint32_t token = generation_.load(std::memory_order_relaxed) |
                         (index_.load(std::memory_order_relaxed) & kIndexBit);
  // Pairs with has_readers(): either it sees this, or this section sees all that came before it.
  here().entered[token & kIndexBit].fetch_add(1, std::memory_order_seq_cst);
  return token;
}

void Rcu::count_leaving(uint32_t token) {
  if ((token & ~kIndexBit) != generation_.load(std::memory_order_relaxed)) return;
  // Pairs with has_readers(): what the section read is read.
  here().left[token & kIndexBit].fetch_add(1, std::memory_order_release);
}

// A handler may come between any two of these steps, and leaves the word as it found it.
void Rcu::read_lock(const SectionEntry& entry) {
  std::atomic_ref word(Arch::context().rcu_section);
  const uint32_t before = word.load(std::memory_order_relaxed);
  const uint32_t section = before == 0 ? count_entry() : before;
  word.store(section + kOneDeep, std::memory_order_relaxed);
  enter_section(&quarry_context::rcu_depth, entry);
}

void Rcu::read_unlock(uintptr_t place) {
  std::atomic_ref word(Arch::context().rcu_section);
  const uint32_t section = word.load(std::memory_order_relaxed);
  if (section == 0) return reporter_->warn(place, "rcu_read_unlock() without rcu_read_lock()");
  leave_section(&quarry_context::rcu_depth);
  if (section >= 2 * kOneDeep) {
    word.store(section - kOneDeep, std::memory_order_relaxed);
    return;
  }
  word.store(0, std::memory_order_relaxed);
  count_leaving(section - kOneDeep);
}

bool Rcu::has_readers(uint32_t index) {
  uint32_t left = 0;
  for (unsigned cpu = 0; cpu != cpus_; ++cpu) {
    left += counters_[cpu].left[index].load(std::memory_order_acquire);
  }
  uint32_t entered = 0;
  for (unsigned cpu = 0; cpu != cpus_; ++cpu) {
    entered += counters_[cpu].entered[index].fetch_add(0, std::memory_order_seq_cst);
  }
  return entered != left;
}

void Rcu::enqueue(RcuHead& head) {
  head.next = nullptr;
  {
    LockGuard guard(lock_);
    (queue_.first == nullptr ? queue_.first : queue_.last->next) = &head;
    queue_.last = &head;
    queued_.fetch_add(1, std::memory_order_relaxed);
  }
  if (wakes_) reporter_->platform().wake_background();
}

void Rcu::call(RcuHead& head, void (*function)(RcuHead* head)) {
  head.func = function;
  enqueue(head);
}

void Rcu::call_tagged(RcuHead& head, uintptr_t tag) {
  head.func = reinterpret_cast<void (*)(RcuHead*)>(tag);
  enqueue(head);
}

bool Rcu::idle() const {
  return queued_.load(std::memory_order_relaxed) == invoked_.load(std::memory_order_relaxed) &&
         wanted_.load(std::memory_order_relaxed) == completed_.load(std::memory_order_relaxed);
}

bool Rcu::step() {
  if (idle()) return false;
  if (stepping_.exchange(true, std::memory_order_acquire)) return true;
  if (try_complete()) {
    const Queue due = current_;
    current_ = {};
    run(due);
  }
  stepping_.store(false, std::memory_order_release);  // pairs with the exchange
  return !idle();
}

// Begins a grace period if one is wanted, and ends it if no reader is in the way. True: it ended.
bool Rcu::try_complete() {
  if (phase_ == Phase::kIdle) {
    LockGuard guard(lock_);
    const uint32_t completed = completed_.load(std::memory_order_relaxed);
    if (queue_.first == nullptr && wanted_.load(std::memory_order_relaxed) == completed) {
      return false;
    }
    current_ = queue_;
    queue_ = {};
    started_.store(completed + 1, std::memory_order_relaxed);
    if (is_before(wanted_.load(std::memory_order_relaxed), completed + 1)) {
      wanted_.store(completed + 1, std::memory_order_relaxed);
    }
    phase_ = Phase::kStragglers;
  }
  const uint32_t index = index_.load(std::memory_order_relaxed) & kIndexBit;
  if (phase_ == Phase::kStragglers) {
    if (has_readers(index ^ 1)) return false;
    index_.store(index ^ 1, std::memory_order_relaxed);
    phase_ = Phase::kReaders;
    if (has_readers(index)) return false;
  } else if (has_readers(index ^ 1)) {
    return false;
  }
  phase_ = Phase::kIdle;
  // Pairs with synchronize(): what sections did is done.
  completed_.fetch_add(1, std::memory_order_release);
  return true;
}

void Rcu::run(Queue due) {
  for (RcuHead* head = due.first; head != nullptr;) {
    RcuHead* const next = head->next;
    {
      const ContextGuard softirq(&quarry_context::softirq_depth);
      const auto tag = reinterpret_cast<uintptr_t>(head->func);
      tag < kRcuTags ? receiver_->grace_period_over(*head, tag) : head->func(head);
    }
    invoked_.fetch_add(1, std::memory_order_release);  // pairs with barrier()
    head = next;
  }
}

// Whether the caller may wait for others. What it does instead is no grace period, but in a section
// that would be one which waits for itself.
bool Rcu::may_wait(uintptr_t place, const char* illegal) {
  const quarry_context& context = Arch::context();
  if (context.rcu_depth != 0) {
    reporter_->warn(place, illegal);
    return false;
  }
  reporter_->check_context(QUARRY_GFP_DIRECT_RECLAIM, place);
  return !in_interrupt(context);
}

template <class Done>
void Rcu::wait_until(uintptr_t place, Done&& done) {
  unsigned futile = 0;
  while (!done()) {
    step();
    if (done()) return;
    if (reporter_->platform().wait_for_memory()) {
      futile = 0;
    } else if (stepping_.load(std::memory_order_relaxed) || ++futile != kFutileTurns) {
      Arch::relax(futile);
    } else {
      return reporter_->warn(place, "rcu: a read-side section never ends, and nobody is in it");
    }
  }
}

void Rcu::synchronize(uintptr_t place) {
  if (!may_wait(place, "Illegal synchronize_rcu() in RCU read-side critical section")) return;
  uint32_t target = 0;
  {
    LockGuard guard(lock_);
    // One that is under way began too early.
    target = started_.load(std::memory_order_relaxed) + 1;
    if (is_before(wanted_.load(std::memory_order_relaxed), target)) {
      wanted_.store(target, std::memory_order_relaxed);
    }
  }
  wait_until(place, [&] { return !is_before(completed_.load(std::memory_order_acquire), target); });
}

void Rcu::barrier(uintptr_t place) {
  if (!may_wait(place, "Illegal rcu_barrier() in RCU read-side critical section")) return;
  const uint32_t target = queued_.load(std::memory_order_relaxed);
  wait_until(place, [&] { return !is_before(invoked_.load(std::memory_order_acquire), target); });
}

void Rcu::stop_steps() {
  unsigned spins = 0;
  while (stepping_.exchange(true, std::memory_order_acquire)) Arch::relax(spins++);
}

void Rcu::lock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS { lock_.lock_nested(); }

void Rcu::unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  lock_.unlock();
  stepping_.store(false, std::memory_order_release);
}

void Rcu::forget_readers() {
  for (unsigned cpu = 0; cpu != cpus_; ++cpu) {
    for (const unsigned index : {0U, 1U}) {
      counters_[cpu].entered[index].store(0, std::memory_order_relaxed);
      counters_[cpu].left[index].store(0, std::memory_order_relaxed);
    }
  }
  // A section that the caller is in is of the time before, and leave() ignores it.
  generation_.store((generation_.load(std::memory_order_relaxed) + kOneGeneration) % kOneDeep,
                    std::memory_order_relaxed);
}

}  // namespace quarry
