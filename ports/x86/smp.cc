// SPDX-License-Identifier: MIT
#include "x86/smp.h"

#include "port_layout.h"
#include "x86/apic.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/descriptors.h"
#include "x86/report.h"
#include "x86/traps.h"

extern "C" {
extern const char quarry_trampoline[];
extern const char quarry_trampoline_end[];
// Where the CPU that starts finds its stack.
constinit void* quarry_secondary_stack = nullptr;
[[noreturn]] void start_secondary_cpu();
void quarry_bare_relax();
}

namespace quarry {
namespace {

constexpr uintptr_t kTrampoline = 0x8000;  // as in trampoline.S

struct Call {
  std::atomic<bool> busy{false};
  // Written by who holds `busy`; read by a CPU after it has seen its `called`.
  void (*call)(void* context) = nullptr;
  void* context = nullptr;
};

struct Background {
  BackgroundWork work;  // written while nobody is at it
  std::atomic<bool> wanted{false};
  std::atomic<bool> busy{false};  // one CPU is at it
};

constinit Call current_call;
constinit Background background;
// The CPU that starts; one at a time.
constinit BareCpu* starting = nullptr;

void handle_call(const TrapFrame&) { serve_call(); }

void wait_until_online(const BareCpu& cpu) {
  constexpr unsigned kMostMs = 2000;
  for (unsigned ms = 0; ms != kMostMs; ++ms) {
    if (cpu.online.load(std::memory_order_acquire)) return;
    delay_us(1000);
  }
  die("a CPU does not start");
}

// Steps until there is nothing left, or a job to do, with others looking after what is left.
void work_in_background(const BareCpu& cpu) {
  if (background.busy.exchange(true, std::memory_order_acquire)) return;
  background.wanted.store(false, std::memory_order_relaxed);
  const BackgroundWork& work = background.work;
  while (work.step != nullptr) {
    const uint64_t pause_ns = work.step(work.context);
    if (pause_ns == BackgroundWork::kNever) break;
    const uint64_t start = clock_ns();
    while (clock_ns() - start < pause_ns && cpu.job.load(std::memory_order_relaxed) == nullptr) {
      Arch::relax(0);
    }
    if (cpu.job.load(std::memory_order_relaxed) != nullptr) {
      background.wanted.store(true, std::memory_order_relaxed);
      break;
    }
  }
  background.busy.store(false, std::memory_order_release);  // pairs with the exchange
}

[[noreturn]] void work_for_ever(BareCpu& cpu) {
  for (;;) {
    disable_interrupts();
    const CpuJob job = cpu.job.load(std::memory_order_acquire);
    if (job == nullptr) {
      const bool wanted = background.wanted.load(std::memory_order_acquire) &&
                          !background.busy.load(std::memory_order_relaxed);
      if (!wanted) {
        enable_interrupts_and_halt();
        continue;
      }
      enable_interrupts();
      work_in_background(cpu);
      continue;
    }
    enable_interrupts();
    job(cpu.job_context);
    cpu.job.store(nullptr, std::memory_order_release);  // pairs with is_busy()
  }
}

}  // namespace

void start_other_cpus(void* const* stacks, size_t stack_bytes) {
  set_interrupt_handler(kCallVector, handle_call);
  machine.cpu[0].online.store(true, std::memory_order_relaxed);
  __builtin_memcpy(reinterpret_cast<void*>(kKernelOffset + kTrampoline), quarry_trampoline,
                   static_cast<size_t>(quarry_trampoline_end - quarry_trampoline));
  for (unsigned i = 1; i != machine.cpu_count; ++i) {
    BareCpu& cpu = machine.cpu[i];
    cpu.stack_start = reinterpret_cast<uintptr_t>(stacks[i]);
    cpu.stack_end = cpu.stack_start + stack_bytes;
    quarry_secondary_stack = reinterpret_cast<void*>(cpu.stack_end);
    starting = &cpu;
    send_start(cpu.apic_id, kTrampoline >> 12);
    wait_until_online(cpu);
  }
  enable_interrupts();
}

void serve_call() {
  BareCpu& cpu = this_cpu();
  // Pairs with the store in run_on_all_cpus(): what the call needs is there.
  if (!cpu.called.load(std::memory_order_acquire)) return;
  current_call.call(current_call.context);
  cpu.called.store(false, std::memory_order_release);  // pairs with the wait for it
}

void run_on_all_cpus(void (*call)(void* context), void* context) {
  const unsigned long flags = Arch::irq_save();
  const auto self = static_cast<unsigned>(Arch::cpu_id());
  while (current_call.busy.exchange(true, std::memory_order_acquire)) Arch::relax(0);
  current_call.call = call;
  current_call.context = context;
  for (unsigned i = 0; i != machine.cpu_count; ++i) {
    BareCpu& cpu = machine.cpu[i];
    if (i == self || !cpu.online.load(std::memory_order_acquire)) continue;
    cpu.called.store(true, std::memory_order_release);
    send_interrupt(cpu.apic_id, kCallVector);
  }
  call(context);
  for (unsigned i = 0; i != machine.cpu_count; ++i) {
    while (machine.cpu[i].called.load(std::memory_order_acquire)) Arch::relax(0);
  }
  current_call.busy.store(false, std::memory_order_release);
  Arch::irq_restore(flags);
}

void set_background_work(const BackgroundWork& work) {
  while (background.busy.exchange(true, std::memory_order_acquire)) Arch::relax(0);
  background.work = work;
  background.wanted.store(false, std::memory_order_relaxed);
  background.busy.store(false, std::memory_order_release);
}

void wake_background() {
  if (background.wanted.exchange(true, std::memory_order_release)) return;
  for (unsigned i = 0; i != machine.cpu_count; ++i) {
    const BareCpu& cpu = machine.cpu[i];
    const bool sleeps = static_cast<int>(i) != Arch::cpu_id() && i != 0 &&
                        cpu.online.load(std::memory_order_acquire) && !is_busy(CpuId(i));
    if (sleeps) return send_interrupt(cpu.apic_id, kCallVector);
  }
}

void run_on(CpuId number, CpuJob job, void* context) {
  BareCpu& cpu = machine.cpu[number.value()];
  QUARRY_CHECK(!is_busy(number) && number.value() != Arch::cpu_id());
  cpu.job_context = context;
  cpu.job.store(job, std::memory_order_release);  // pairs with work_for_ever()
  send_interrupt(cpu.apic_id, kCallVector);       // wakes it
}

bool is_busy(CpuId cpu) {
  return machine.cpu[cpu.value()].job.load(std::memory_order_acquire) != nullptr;
}

void wait_for(CpuId cpu) {
  while (is_busy(cpu)) Arch::relax(0);
}

}  // namespace quarry

void quarry_bare_relax() {
  using namespace quarry;
  if (this_cpu().called.load(std::memory_order_relaxed) && !interrupts_enabled()) serve_call();
}

void start_secondary_cpu() {
  using namespace quarry;
  BareCpu& cpu = *starting;
  use_segments(cpu);
  use_trap_table();
  start_apic();
  cpu.online.store(true, std::memory_order_release);  // pairs with wait_until_online()
  work_for_ever(cpu);
}
