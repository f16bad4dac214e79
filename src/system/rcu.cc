// SPDX-License-Identifier: MIT

// The public calls about grace periods, and what the system does in the background.

#include "quarry/rcu.h"

#include "system/core.h"
#include "system/place.h"

namespace quarry {

namespace {

// How long to leave readers alone before looking again.
constexpr uint64_t kReaderNs = 1'000'000;

// Memory that has no room for a head.
struct FreedLater {
  RcuHead head;
  MemorySystem* system;
  const void* memory;
};

void free_both(RcuHead* head) {
  auto* const later = reinterpret_cast<FreedLater*>(head);
  MemorySystem& system = *later->system;
  system.kvfree(later->memory);
  system.kfree(later);
}

}  // namespace

RcuReadGuard::RcuReadGuard(MemorySystem& system)
    : system_(system), token_(Core::of(system).rcu.enter(QUARRY_SECTION_ENTRY)) {}

RcuReadGuard::~RcuReadGuard() { Core::of(system_).rcu.leave(token_); }

void MemorySystem::call_rcu(RcuHead* head, void (*function)(RcuHead* head)) {
  Core::of(*this).rcu.call(*head, function);
}

void MemorySystem::synchronize_rcu() { Core::of(*this).rcu.synchronize(QUARRY_PLACE); }

void MemorySystem::rcu_barrier() { Core::of(*this).rcu.barrier(QUARRY_PLACE); }

void MemorySystem::kvfree_deferred(RcuHead* head, const void* memory) {
  const auto offset = static_cast<uintptr_t>(reinterpret_cast<const char*>(head) -
                                             static_cast<const char*>(memory));
  QUARRY_CHECK(offset < kRcuFreeTags);
  Core::of(*this).rcu.call_tagged(*head, offset);
}

void MemorySystem::kvfree_deferred(const void* memory) {
  if (reinterpret_cast<uintptr_t>(memory) <= kZeroSizeAddress) return;
  Core& core = Core::of(*this);
  constexpr Gfp kLight = gfp::kKernel | gfp::kNoRetry | gfp::kNoMemalloc | gfp::kNoWarn;
  auto* const later =
      static_cast<FreedLater*>(core.kmem.kmalloc(sizeof(FreedLater), kLight, QUARRY_PLACE));
  if (later != nullptr) {
    later->system = this;
    later->memory = memory;
    return core.rcu.call(later->head, free_both);
  }
  core.rcu.synchronize(QUARRY_PLACE);
  core.vmalloc.kvfree(memory, QUARRY_PLACE);
}

uint64_t Core::reap_if_due() {
  const uint64_t interval = kmem.engine().reap_interval_ns();
  if (interval == 0) return BackgroundWork::kNever;
  const uint64_t now = pages.platform().clock_ns();
  LockGuard guard(reap_lock);
  if (next_reap_ns == 0) next_reap_ns = now + interval;
  if (now < next_reap_ns) return next_reap_ns - now;
  next_reap_ns = now + interval;
  for (unsigned cpu = 0; cpu != pages.cpu_count(); ++cpu) kmem.reap(CpuId(cpu));
  return interval;
}

uint64_t MemorySystem::step() {
  Core& core = Core::of(*this);
  const uint64_t until_readers = core.rcu.step() ? kReaderNs : BackgroundWork::kNever;
  const uint64_t until_reaping = core.reap_if_due();
  return until_readers < until_reaping ? until_readers : until_reaping;
}

}  // namespace quarry
