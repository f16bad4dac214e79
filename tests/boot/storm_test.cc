// SPDX-License-Identifier: MIT
// All CPUs of a machine use one system, with remote frees, while their timers interrupt them and
// the handlers use it too. Nothing may be lost or given out twice.
#include <new>

#include "harness.h"
#include "kernel.h"
#include "smp/worker.h"
#include "x86/apic.h"
#include "x86/smp.h"
#include "x86/traps.h"

extern "C" {
extern const char quarry_core_text_start[];
extern const char quarry_core_text_end[];
}

namespace {

using namespace quarry;

constexpr unsigned kMostCpus = 4;
constexpr unsigned kSharedCaches = 6;
// In turns, CPUs do not wait long for each other; where they run in parallel on fewer CPUs of the
// host they do, and a boot asks for less.
constexpr uint32_t kOperations = 40'000;       // of a CPU
constexpr uint32_t kWantedInterrupts = 3'000;  // of all CPUs
constexpr uint32_t kTimerHz = 4'000;
constexpr int kOperationsInHandler = 6;

bool is_core_code(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(quarry_core_text_start) <
         static_cast<uintptr_t>(quarry_core_text_end - quarry_core_text_start);
}

// A worker for each CPU, and one for its interrupts.
class Storm {
 public:
  explicit Storm(bool interrupts) : interrupts_(interrupts) {
    smp::mistakes = 0;
    current_ = this;
    set_interrupt_handler(kTimerVector, on_timer);
  }
  ~Storm() {
    set_interrupt_handler(kTimerVector, nullptr);
    current_ = nullptr;
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  void run() {
    if (!make_caches() || !make_workers()) return;
    for (unsigned cpu = 1; cpu != cpus_; ++cpu) run_on(CpuId(cpu), work, this);
    work(this);
    for (unsigned cpu = 1; cpu != cpus_; ++cpu) wait_for(CpuId(cpu));
    for (smp::Worker* worker : workers_) {
      if (worker != nullptr) worker->free_all();
    }
    for (smp::Worker* worker : workers_) boot::system().kfree(worker);
    for (KmemCache* cache : caches_) boot::system().cache_destroy(cache);
    CHECK_EQ(smp::mistakes.load(), 0U);
  }

  uint32_t wanted_interrupts() const { return wanted_interrupts_; }
  uint32_t interrupts() const { return interrupts_served_.load(); }
  uint32_t interrupts_inside() const { return interrupts_inside_.load(); }

 private:
  bool make_caches() {
    constexpr uint32_t kBytes[kSharedCaches] = {16, 64, 100, 320, 1500, 5000};
    for (unsigned i = 0; i != kSharedCaches; ++i) {
      caches_[i] = boot::system().cache_create("shared", kBytes[i]);
      if (!CHECK(caches_[i] != nullptr)) return false;
    }
    return true;
  }

  bool make_workers() {
    const std::span<smp::Mailbox> mailboxes(mailboxes_, interrupts_ ? 2 * cpus_ : cpus_);
    for (unsigned i = 0; i != mailboxes.size(); ++i) {
      void* const memory = boot::system().kmalloc(sizeof(smp::Worker), gfp::kKernel);
      if (!CHECK(memory != nullptr)) return false;
      const auto context = i < cpus_ ? smp::Context::kProcess : smp::Context::kInterrupt;
      workers_[i] = new (memory) smp::Worker(boot::system(), caches_, mailboxes, i, context);
    }
    return true;
  }

  static void work(void* context) {
    auto& storm = *static_cast<Storm*>(context);
    smp::Worker& worker = *storm.workers_[Arch::cpu_id()];
    if (!storm.interrupts_) return worker.run(static_cast<int>(storm.operations_));
    start_timer(kTimerHz);
    while (storm.interrupts() < storm.wanted_interrupts()) worker.run(100);
    stop_timer();
  }

  static void on_timer(const TrapFrame& frame) {
    Storm& storm = *current_;
    const unsigned cpu = static_cast<unsigned>(Arch::cpu_id());
    // One that was on its way when the timer stopped.
    if (storm.workers_[storm.cpus_ + cpu] == nullptr) return;
    storm.workers_[storm.cpus_ + cpu]->run(kOperationsInHandler);
    storm.interrupts_served_.fetch_add(1);
    if (is_core_code(static_cast<uintptr_t>(frame.ip))) storm.interrupts_inside_.fetch_add(1);
  }

  static constinit Storm* current_;

  const bool interrupts_;
  const uint64_t operations_ = boot::number("storm.operations", kOperations);
  const uint32_t wanted_interrupts_ =
      static_cast<uint32_t>(boot::number("storm.interrupts", kWantedInterrupts));
  const unsigned cpus_ = std::min(machine.cpu_count, kMostCpus);
  KmemCache* caches_[kSharedCaches] = {};
  smp::Mailbox mailboxes_[2 * kMostCpus];
  smp::Worker* workers_[2 * kMostCpus] = {};
  std::atomic<uint32_t> interrupts_served_{0};
  std::atomic<uint32_t> interrupts_inside_{0};
};

constinit Storm* Storm::current_ = nullptr;

QUARRY_TEST(Storm, cpus) {
  const boot::Balanced balanced;
  REQUIRE(machine.cpu_count >= 2);
  Storm(false).run();
}

QUARRY_TEST(Storm, interrupts) {
  const boot::Balanced balanced;
  Storm storm(true);
  storm.run();
  CHECK(storm.interrupts() >= storm.wanted_interrupts());
  // Thousands of points in time at which the allocator was in the middle of something.
  CHECK(storm.interrupts_inside() >= storm.wanted_interrupts() / 20);
}

}  // namespace
