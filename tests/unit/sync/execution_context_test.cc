// SPDX-License-Identifier: MIT
#include "sync/execution_context.h"

#include "machine_platform.h"
#include "quarry/gfp.h"
#include "sync/spinlock.h"

namespace quarry {
namespace {

constexpr uint32_t kKernel = uint32_t(gfp::kKernel);
constexpr uint32_t kAtomic = uint32_t(gfp::kAtomic);

QUARRY_TEST(ExecutionContext, process_context_may_sleep) {
  const quarry_context& context = Arch::context();
  CHECK(may_sleep(context));
  CHECK(!in_interrupt(context));
  CHECK(!context_forbids(context, kKernel));
  CHECK(!needs_context_check(kKernel));
}

QUARRY_TEST(ExecutionContext, each_kind_of_section_forbids_sleeping_and_nests) {
  constexpr uint32_t quarry_context::*kKinds[] = {
      &quarry_context::atomic_depth, &quarry_context::irq_off_depth, &quarry_context::softirq_depth,
      &quarry_context::hardirq_depth};
  const quarry_context& context = Arch::context();
  for (auto kind : kKinds) {
    ContextGuard outer(kind);
    CHECK(needs_context_check(kKernel));
    CHECK(!needs_context_check(kAtomic));
    {
      ContextGuard inner(kind);
      CHECK(context_forbids(context, kKernel));
    }
    CHECK(context_forbids(context, kKernel));
    CHECK(!context_forbids(context, kAtomic));
  }
  CHECK(!needs_context_check(kKernel));
}

QUARRY_TEST(ExecutionContext, nothing_may_be_allocated_in_nmi) {
  ContextGuard nmi(&quarry_context::nmi_depth);
  CHECK(in_interrupt(Arch::context()));
  CHECK(needs_context_check(0));
  CHECK(context_forbids(Arch::context(), 0));
}

QUARRY_TEST(ExecutionContext, a_fault_countdown_leads_every_request_to_the_slow_path) {
  quarry_context& context = Arch::context();
  context.fail_nth = 3;
  update_forbidden_gfp(context);
  CHECK(needs_context_check(0));
  CHECK(!context_forbids(context, kKernel));
  context.fail_nth = 0;
  update_forbidden_gfp(context);
  CHECK(!needs_context_check(kKernel));
}

QUARRY_TEST(ExecutionContext, remembers_where_the_outermost_section_began) {
  enter_section(&quarry_context::atomic_depth, {0x1111, 0xa0});
  enter_section(&quarry_context::hardirq_depth, {0x2222, 0x90});
  CHECK_EQ(Arch::context().section_place, 0x1111U);
  CHECK_EQ(Arch::context().section_stack, 0xa0U);
  leave_section(&quarry_context::hardirq_depth);
  leave_section(&quarry_context::atomic_depth);
}

QUARRY_TEST(SpinLock, guards_turn_interrupts_off) {
  SpinLock lock(LockRank::kLeaf);
  const bool before = harness::interrupts_off();
  {
    LockGuard guard(lock);
    CHECK(lock.is_locked());
    CHECK(harness::interrupts_off());
  }
  CHECK(!lock.is_locked());
  CHECK_EQ(harness::interrupts_off(), before);
}

QUARRY_TEST(SpinLock, ranks_of_held_locks_are_kept_in_debug_builds) {
  SpinLock outer(LockRank::kZone);
  SpinLock inner(LockRank::kLeaf);
  SpinLock same(LockRank::kLeaf);
  LockGuard a(outer);
  LockGuard b(inner);
  IrqGuard irq;
  same.lock_nested();
  CHECK_EQ(Arch::context().held_locks, kDebugBuild ? 3U : 0U);
  same.unlock();
}

}  // namespace
}  // namespace quarry
