// SPDX-License-Identifier: MIT
// fork() with a whole system on the machine: both sides go on, whatever other threads were doing.
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "base/random.h"
#include "machine.h"
#include "quarry/rcu.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::kPageBytes;
namespace gfp = quarry::gfp;

constexpr unsigned kMostCpus = 16;

// The exit status is 0 where `body` returns true.
template <typename Body>
pid_t in_child(Body&& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  return child;
}

int wait_for(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -1;
}

// Objects of a system, each with a number in it.
struct Objects {
  static constexpr size_t kMost = 400;

  explicit Objects(quarry::MemorySystem& owner) : system(owner) {}

  bool fill(uint64_t first) {
    for (; count != kMost; ++count) {
      const size_t bytes = 16 + count * 24;
      object[count] = static_cast<uint64_t*>(
          count % 50 == 49 ? system.vmalloc(bytes * 10) : system.kmalloc(bytes, gfp::kKernel));
      if (object[count] == nullptr) return false;
      *object[count] = first + count;
      object[count][1] = ~(first + count);
    }
    return true;
  }
  bool intact(uint64_t first) const {
    for (size_t i = 0; i != count; ++i) {
      if (*object[i] != first + i || object[i][1] != ~(first + i)) return false;
    }
    return true;
  }
  void free() {
    while (count != 0) system.kvfree(object[--count]);
  }

  quarry::MemorySystem& system;
  size_t count = 0;
  uint64_t* object[kMost] = {};
};

bool check_in_child(Machine& m, Objects& mine) {
  Objects more(m.system);
  quarry::FixedText<512> problem;
  if (!mine.intact(1) || !more.fill(1'000'000)) return false;
  mine.free();
  if (!mine.fill(5'000'000) || !more.intact(1'000'000)) return false;
  more.free();
  m->drain_all();
  return mine.intact(5'000'000) && m->validate(problem);
}

QUARRY_TEST(SystemFork, both_sides_go_on_with_their_own_memory) {
  for (const CpuKind kind : {CpuKind::kSimulated, CpuKind::kLockless, CpuKind::kLocked}) {
    Machine m{.cpus = kind == CpuKind::kSimulated ? 2U : 0U, .cpu_kind = kind};
    Objects objects(m.system);
    CHECK(objects.fill(1));
    const pid_t child = in_child([&] { return check_in_child(m, objects); });
    CHECK(objects.intact(1));
    CHECK_EQ(wait_for(child), 0);
    CHECK(objects.intact(1));
    objects.free();
    CHECK(m.sound());
  }
}

struct Churn {
  Machine* machine = nullptr;
  std::atomic<bool>* stop = nullptr;
  uint64_t seed = 0;
  size_t errors = 0;
  pthread_t thread{};
};

void* churn(void* argument) {
  Churn& self = *static_cast<Churn*>(argument);
  quarry::MemorySystem& system = self.machine->system;
  quarry::Random random(self.seed);
  uint64_t* held[64] = {};
  while (!*self.stop) {
    uint64_t*& slot = held[random.below(64)];
    if (slot != nullptr) {
      self.errors += *slot == reinterpret_cast<uintptr_t>(&slot) ? 0 : 1;
      system.kvfree(slot);
      slot = nullptr;
    } else if (random.one_in(50)) {
      slot = static_cast<uint64_t*>(system.vmalloc(random.between(1, 40) * kPageBytes));
    } else {
      slot = static_cast<uint64_t*>(system.kmalloc(random.between(8, 2000), gfp::kKernel));
    }
    if (slot != nullptr) *slot = reinterpret_cast<uintptr_t>(&slot);
  }
  for (uint64_t* slot : held) system.kvfree(slot);
  return nullptr;
}

// What the arrays of all CPUs hold is handed out; an object that is there twice shows.
bool empty_all_arrays(Machine& m, const Objects& before) {
  static constexpr size_t kSizes[] = {8, 64, 100, 256, 500, 1000, 2000};
  static constexpr size_t kEach = 300;
  static uint64_t* object[kMostCpus * std::size(kSizes) * kEach];
  size_t count = 0;
  for (unsigned cpu = 0; cpu != m.platform.cpu_count() && cpu != kMostCpus; ++cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) continue;
    for (const size_t bytes : kSizes) {
      for (size_t i = 0; i != kEach; ++i) {
        auto* made = static_cast<uint64_t*>(m->kmalloc(bytes, gfp::kKernel));
        if (made == nullptr) return false;
        object[count] = made;
        *made = count++;
      }
    }
  }
  for (size_t i = 0; i != count; ++i) {
    if (*object[i] != i) return false;
    m->kfree(object[i]);
  }
  return before.intact(1);
}

QUARRY_TEST(SystemFork, works_while_threads_allocate) {
  for (const CpuKind kind : {CpuKind::kLockless, CpuKind::kLocked}) {
    Machine m{.cpus = 0, .cpu_kind = kind};
    std::atomic<bool> stop{false};
    Churn workers[3];
    for (Churn& worker : workers) {
      worker.machine = &m;
      worker.stop = &stop;
      worker.seed = harness::seed() + static_cast<uint64_t>(&worker - workers);
      REQUIRE_EQ(pthread_create(&worker.thread, nullptr, churn, &worker), 0);
    }
    for (uint64_t round = 0; round != 60; ++round) {
      Objects objects(m.system);
      CHECK(objects.fill(1));
      const pid_t child = in_child([&] { return empty_all_arrays(m, objects); });
      objects.free();
      CHECK_EQ(wait_for(child), 0);
    }
    stop = true;
    for (Churn& worker : workers) {
      pthread_join(worker.thread, nullptr);
      CHECK_EQ(worker.errors, 0U);
    }
  }
}

// Both sides run what was handed over before, and the child waits for no reader that it does not
// have; each has a background thread as soon as it needs one.
struct Waiting {
  quarry::RcuHead head{};
  unsigned runs = 0;
};
void count_run(quarry::RcuHead* head) { ++reinterpret_cast<Waiting*>(head)->runs; }

struct Reader {
  Machine* machine;
  std::atomic<bool> inside{false};
  std::atomic<bool> stop{false};
};

void* read(void* argument) {
  auto& self = *static_cast<Reader*>(argument);
  const quarry::RcuReadGuard guard(self.machine->system);
  self.inside = true;
  while (!self.stop) sched_yield();
  return nullptr;
}

bool reaches(const Waiting& waiting, unsigned runs) {
  const volatile unsigned& now = waiting.runs;
  for (int i = 0; i != 10'000 && now != runs; ++i) usleep(1000);
  return now == runs;
}

QUARRY_TEST(SystemFork, readers_and_callbacks) {
  Machine m{.cpus = 0, .cpu_kind = CpuKind::kLockless};
  Reader reader{.machine = &m};
  pthread_t thread;
  REQUIRE_EQ(pthread_create(&thread, nullptr, read, &reader), 0);
  while (!reader.inside) sched_yield();
  Waiting waiting;
  m->call_rcu(&waiting.head, count_run);
  usleep(5000);
  const pid_t child = in_child([&] {
    if (waiting.runs != 0) return false;
    m->synchronize_rcu();
    if (waiting.runs != 1) return false;
    m->call_rcu(&waiting.head, count_run);
    return reaches(waiting, 2);
  });
  CHECK_EQ(wait_for(child), 0);
  CHECK_EQ(waiting.runs, 0U);
  reader.stop = true;
  pthread_join(thread, nullptr);
  CHECK(reaches(waiting, 1));
}

}  // namespace
