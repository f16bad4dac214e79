// SPDX-License-Identifier: MIT
// Threads on real CPUs use one system, with arrays by restartable sequences and behind locks, while
// others empty caches and CPUs, read the /proc texts, move the threads from CPU to CPU and
// interrupt them with handlers that allocate. Nothing may be lost or given out twice.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "machine.h"
#include "smp/worker.h"
#include "sync/execution_context.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::KmemCache;
namespace gfp = quarry::gfp;

constexpr unsigned kWorkers = 4;
constexpr unsigned kSharedCaches = 6;
#ifdef __SANITIZE_THREAD__
constexpr int kOperations = 25'000;
#else
constexpr int kOperations = 250'000;
#endif
constexpr int kDisturbEveryUs = 200;

// --- Signals: an interrupt handler that allocates, where interrupts are not off ---

constexpr unsigned kHeld = 8;
std::atomic<quarry::MemorySystem*> interrupted_system;
std::atomic<uint64_t> interrupts_served;
thread_local smp::Item held[kHeld];
thread_local unsigned next_held;

void drop(smp::Item& item) {
  if (item.memory == nullptr) return;
  smp::check(item);
  interrupted_system.load()->kfree(item.memory);
  item.memory = nullptr;
}

void on_interrupt(int) {
  const quarry_context& context = quarry::Arch::context();
  if (context.irq_off_depth != 0 || context.hardirq_depth != 0) return;
  const int saved_errno = errno;
  {
    quarry::ContextGuard irq(&quarry_context::hardirq_depth);
    smp::Item& item = held[next_held++ % kHeld];
    drop(item);
    item = {};
    item.bytes = 64 << next_held % 4;
    item.tag = reinterpret_cast<uintptr_t>(&item) + next_held;
    item.memory = static_cast<unsigned char*>(
        interrupted_system.load()->kmalloc(item.bytes, gfp::kAtomic | gfp::kNoWarn));
    if (item.memory != nullptr) smp::fill(item);
  }
  interrupts_served.fetch_add(1);
  errno = saved_errno;
}

struct Disturbance {
  bool migrations = false;
  bool interrupts = false;
  const char* slub_debug = nullptr;
  int operations = kOperations;
};

class Storm {
 public:
  Storm(CpuKind kind, Disturbance disturbance)
      : m_{.nodes = 2,
           .mib = 128,
           .cpus = 0,
           .cpu_kind = kind,
           .slub_debug = disturbance.slub_debug},
        disturbance_(disturbance) {
    smp::mistakes = 0;
    interrupted_system = &m_.system;
    interrupts_served = 0;
  }

  void run() {
    KmemCache* caches[kSharedCaches];
    constexpr uint32_t kBytes[kSharedCaches] = {16, 64, 100, 320, 1500, 5000};
    for (unsigned i = 0; i != kSharedCaches; ++i) {
      caches[i] = m_->cache_create("shared", kBytes[i]);
      REQUIRE(caches[i] != nullptr);
    }
    smp::Mailbox mailboxes[kWorkers];
    std::vector<smp::Worker> workers;
    for (unsigned i = 0; i != kWorkers; ++i) {
      workers.emplace_back(m_.system, caches, mailboxes, i);
    }
    std::vector<std::thread> threads;
    for (unsigned i = 0; i != kWorkers; ++i) {
      threads.emplace_back([&, i] { work(workers[i], i); });
    }
    std::thread janitor([&] { clean(caches); });
    std::thread disturber([&] { disturb(); });
    for (std::thread& thread : threads) thread.join();
    over_ = true;
    janitor.join();
    disturber.join();
    for (smp::Worker& worker : workers) worker.free_all();
    for (KmemCache* cache : caches) m_->cache_destroy(cache);
    CHECK_EQ(smp::mistakes.load(), 0U);
    if (disturbance_.interrupts) CHECK(interrupts_served.load() > 0);
  }

 private:
  void work(smp::Worker& worker, unsigned number) {
    thread_id_[number] = static_cast<pid_t>(syscall(SYS_gettid));
    worker.run(disturbance_.operations);
    thread_id_[number] = 0;
    // No interrupt from here on: what the handler holds goes back.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (smp::Item& item : held) drop(item);
  }

  // Empties caches and CPUs, and looks at everything.
  void clean(std::span<KmemCache* const> caches) {
    quarry::FixedText<32768> text;
    for (unsigned round = 0; !over_; ++round) {
      KmemCache* const cache = caches[round % kSharedCaches];
      m_->cache_shrink(cache);
      if (m_->cache_check(cache).errors != 0) smp::mistakes.fetch_add(1);
      if (round % 8 == 0) m_->drain_all();
      text.clear();
      m_->slabinfo(text);
      m_->buddyinfo(text);
      m_->vmallocinfo(text);
      if (text.size() < 1000) smp::mistakes.fetch_add(1);
      usleep(kDisturbEveryUs);
    }
  }

  void disturb() {
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (unsigned round = 0; !over_; ++round) {
      const unsigned victim = round % kWorkers;
      const pid_t id = thread_id_[victim];
      if (id != 0 && disturbance_.migrations) move(id, allowed, round / kWorkers);
      if (id != 0 && disturbance_.interrupts) syscall(SYS_tgkill, getpid(), id, SIGUSR1);
      usleep(kDisturbEveryUs / kWorkers);
    }
  }

  // To the round-th of the CPUs that we may use.
  static void move(pid_t id, const cpu_set_t& allowed, unsigned round) {
    unsigned skip = round % static_cast<unsigned>(CPU_COUNT(&allowed));
    for (unsigned cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      sched_setaffinity(id, sizeof one, &one);
      return;
    }
  }

  Machine m_;
  Disturbance disturbance_;
  std::atomic<bool> over_{false};
  std::atomic<pid_t> thread_id_[kWorkers] = {};
};

void run_storm(CpuKind kind, Disturbance disturbance) {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  Storm(kind, disturbance).run();
}

QUARRY_TEST(Storm, lockless_arrays) { run_storm(CpuKind::kLockless, {}); }
QUARRY_TEST(Storm, lockless_arrays_with_migrations_and_interrupts) {
  run_storm(CpuKind::kLockless, {.migrations = true, .interrupts = true});
}
QUARRY_TEST(Storm, locked_arrays) { run_storm(CpuKind::kLocked, {}); }
QUARRY_TEST(Storm, locked_arrays_with_migrations_and_interrupts) {
  run_storm(CpuKind::kLocked, {.migrations = true, .interrupts = true});
}

// Every check on, with others' objects under way: what is found would be a report.
QUARRY_TEST(Storm, debugged_caches) {
  run_storm(CpuKind::kLockless,
            {.interrupts = true, .slub_debug = "FZPU", .operations = kOperations / 25});
}

}  // namespace
