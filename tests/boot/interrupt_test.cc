// SPDX-License-Identifier: MIT
#include "harness.h"
#include "kernel.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/smp.h"
#include "x86/traps.h"

namespace {

using namespace quarry;

constinit std::atomic<void*> got{nullptr};
constinit Gfp asked_with{};

void allocate_once(const TrapFrame&) {
  stop_timer();
  got.store(boot::system().kmalloc(100, asked_with), std::memory_order_release);
}

// What a timer interrupt gets that asks with these flags.
void* allocate_in_interrupt(Gfp gfp) {
  asked_with = gfp;
  got = nullptr;
  set_interrupt_handler(kTimerVector, allocate_once);
  start_timer(1000);
  while (got.load(std::memory_order_acquire) == nullptr) Arch::relax(0);
  set_interrupt_handler(kTimerVector, nullptr);
  return got;
}

QUARRY_TEST(Interrupt, atomic_requests_are_served) {
  const boot::Balanced balanced;
  boot::Reports reports;
  boot::system().kfree(allocate_in_interrupt(gfp::kAtomic));
  CHECK(!reports.have("BUG"));
}

QUARRY_TEST(Interrupt, requests_that_may_sleep_are_reported) {
  const boot::Balanced balanced;
  boot::Reports reports;
  boot::system().kfree(allocate_in_interrupt(gfp::kKernel));
  CHECK(reports.have("BUG: sleeping function called from invalid context"));
  CHECK(reports.have("in_atomic(): 1"));
  CHECK(reports.have("hardirqs: 1"));
}

// --- Cross calls ---

struct Contended {
  SpinLock lock{LockRank::kLeaf};
  std::atomic<bool> about_to_spin{false};
  std::atomic<uint32_t> calls{0};
};

void spin_with_interrupts_off(void* context) {
  auto& contended = *static_cast<Contended*>(context);
  const IrqGuard off;
  contended.about_to_spin = true;
  contended.lock.lock();
  contended.lock.unlock();
}

// The holder of a lock calls a CPU that waits for that lock with interrupts off.
QUARRY_TEST(Calls, a_cpu_that_spins_answers_calls) {
  REQUIRE(machine.cpu_count >= 2);
  Contended contended;
  {
    LockGuard guard(contended.lock);
    run_on(CpuId(1), spin_with_interrupts_off, &contended);
    while (!contended.about_to_spin) Arch::relax(0);
    run_on_all_cpus([](void* context) { static_cast<Contended*>(context)->calls.fetch_add(1); },
                    &contended);
    CHECK_EQ(contended.calls.load(), machine.cpu_count);
  }
  wait_for(CpuId(1));
}

struct Caller {
  const uint32_t times = static_cast<uint32_t>(boot::number("calls.times", 500));
  std::atomic<uint32_t> calls{0};
};

void call_often(void* context) {
  for (uint32_t i = 0; i != static_cast<Caller*>(context)->times; ++i) {
    run_on_all_cpus([](void* c) { static_cast<Caller*>(c)->calls.fetch_add(1); }, context);
  }
}

QUARRY_TEST(Calls, cpus_call_each_other_at_once) {
  REQUIRE(machine.cpu_count >= 2);
  Caller caller;
  for (unsigned cpu = 1; cpu != machine.cpu_count; ++cpu) run_on(CpuId(cpu), call_often, &caller);
  call_often(&caller);
  for (unsigned cpu = 1; cpu != machine.cpu_count; ++cpu) wait_for(CpuId(cpu));
  CHECK_EQ(caller.calls.load(), caller.times * machine.cpu_count * machine.cpu_count);
}

}  // namespace
