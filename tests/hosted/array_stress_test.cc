// SPDX-License-Identifier: MIT
// Per-CPU arrays by restartable sequences, under everything that can come between: other threads,
// migrations, signal handlers that use the arrays too, and drains of all CPUs. Each object knows
// whether it is stored and has a checksum: nothing is lost, nothing is handed out twice.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/random.h"
#include "quarry/hosted_platform.h"
#include "sync/cpu_arrays.h"

namespace quarry {
namespace {

constexpr unsigned kWorkers = 4;
constexpr unsigned kObjects = 600;
constexpr unsigned kCapacity = 24;
constexpr uintptr_t kOffset = 64;
constexpr unsigned kRounds = 400'000;
constexpr useconds_t kDrainEveryUs = 100;
constexpr long kSignalEveryNs = 60'000;

struct Object {
  std::atomic<bool> stored{false};
  uint64_t number = 0;
  uint64_t payload = 0;
  uint64_t check = 0;

  void fill(uint64_t value) {
    payload = value;
    check = value * 0x9e3779b97f4a7c15 ^ number;
  }
  bool intact() const { return check == (payload * 0x9e3779b97f4a7c15 ^ number); }
};

class Arrays {
 public:
  Arrays() {
    EXPECT_TRUE(machine.open({.ram_bytes = 16 * kMiB}));
    nodes_.resize(machine.cpu_count(), 3);
    // Sync's locks are for machines without restartable sequences; they are never taken here.
    const size_t stride =
        kOffset + round_up(CpuArrays::array_bytes(kCapacity, machine.cpu_count()), 64);
    memory_.resize((machine.cpu_count() + 1) * stride / sizeof(uint64_t));
    table_.init(machine, hot, memory_.data(), stride,
                std::span<SpinLock>(locks_.data(), machine.cpu_count()), nodes_);
    arrays_.init(table_, kOffset, kCapacity);
  }

  bool store(Object& object) {
    if (object.stored.exchange(true)) ++errors;
    if (put(object)) return true;
    object.stored = false;
    return false;
  }
  Object* fetch() {
    auto* object = static_cast<Object*>(Arch::pop(hot, kOffset));
    if (object != nullptr) take(*object);
    return object;
  }
  size_t fetch_many(Object** objects, uint32_t count) {
    void* got[kCapacity];
    const uint32_t moved = Arch::pop_many(hot, kOffset, got, count);
    for (uint32_t i = 0; i != moved; ++i) take(*(objects[i] = static_cast<Object*>(got[i])));
    return moved;
  }
  // From the end of the list; how many.
  size_t store_many(std::vector<Object*>& list, uint32_t count) {
    void* given[kCapacity];
    for (uint32_t i = 0; i != count; ++i) {
      Object* const object = list[list.size() - 1 - i];
      if (object->stored.exchange(true)) ++errors;
      given[i] = object;
    }
    const uint32_t moved = Arch::push_many(hot, kOffset, given, count, 3);
    for (uint32_t i = moved; i != count; ++i) static_cast<Object*>(given[i])->stored = false;
    // Those that were not moved are at the front of what was offered from the end.
    list.erase(list.end() - count, list.end() - count + moved);
    for (uint32_t i = moved; i != count; ++i) {
      list[list.size() - 1 - (i - moved)] = static_cast<Object*>(given[i]);
    }
    return moved;
  }
  // Empties the arrays of all CPUs.
  void drain(std::vector<Object*>& list) {
    {
      const StoppedArrays stopped(table_);
      if (!stopped.at_rest()) ++errors;
      arrays_.take_all([&](std::span<void*> objects) {
        for (void* object : objects) list.push_back(static_cast<Object*>(object));
      });
    }
    for (size_t i = list.size(); i != 0; --i) {
      if (list[i - 1]->stored) take(*list[i - 1]);
    }
  }

  HostedPlatform machine;
  quarry_arrays hot{};
  std::atomic<unsigned> errors{0};

 private:
  bool put(Object& object) {
    PushResult result = Arch::push(hot, kOffset, &object, 3);
    // What finds an array that was never used gives it its capacity.
    if (result == PushResult::kRefused) result = arrays_.push(&object, 3);
    if (result == PushResult::kTwice) ++errors;
    return result == PushResult::kPushed;
  }
  void take(Object& object) {
    if (!object.stored.exchange(false) || !object.intact()) ++errors;
  }

  std::array<SpinLock, HostedPlatform::kMaxCpus> locks_;
  std::vector<uint16_t> nodes_;
  std::vector<uint64_t> memory_;
  CpuArrayTable table_;
  CpuArrays arrays_;
};

// What a handler of this thread works on; it never touches the thread's own list.
struct HandlerState {
  Arrays* arrays = nullptr;
  Object* held = nullptr;
  uint64_t calls = 0;
};
thread_local HandlerState handler_state;

void on_signal(int) {
  HandlerState& state = handler_state;
  if (state.arrays == nullptr) return;
  ++state.calls;
  if (state.held == nullptr) {
    state.held = state.arrays->fetch();
    if (state.held != nullptr) state.held->fill(state.calls);
  } else if (state.arrays->store(*state.held)) {
    state.held = nullptr;
  }
}

class SignalTimer {
 public:
  SignalTimer() {
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGRTMIN, &action, nullptr);
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGRTMIN;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer_), 0);
    const timespec every{.tv_sec = 0, .tv_nsec = kSignalEveryNs};
    const itimerspec setting{.it_interval = every, .it_value = every};
    EXPECT_EQ(timer_settime(timer_, 0, &setting, nullptr), 0);
  }
  ~SignalTimer() {
    timer_delete(timer_);
    signal(SIGRTMIN, SIG_IGN);  // takes back what is pending
  }

 private:
  timer_t timer_{};
};

void migrate(Random& random, unsigned cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(random.below(cpus), &set);
  sched_setaffinity(0, sizeof(set), &set);  // of an offline CPU: stays where it is
}

struct Pool {
  std::mutex lock;
  std::vector<Object*> objects;  // left over by drains
};

void work(Arrays& arrays, Pool& pool, std::vector<Object*>& list, unsigned seed, uint64_t& calls) {
  Random random(seed);
  handler_state.arrays = &arrays;
  {
    const SignalTimer timer;
    for (unsigned round = 0; round != kRounds; ++round) {
      if (random.one_in(2500)) migrate(random, arrays.machine.cpu_count());
      if (random.one_in(1000)) {
        const std::lock_guard guard(pool.lock);
        list.insert(list.end(), pool.objects.begin(), pool.objects.end());
        pool.objects.clear();
      }
      const uint32_t most = random.between(1, kCapacity);
      const bool storing = !list.empty() && random.one_in(2);
      if (storing && random.one_in(4)) {
        arrays.store_many(list, std::min<uint32_t>(most, static_cast<uint32_t>(list.size())));
      } else if (storing) {
        list.back()->fill(random.next_u64());
        if (arrays.store(*list.back())) list.pop_back();
      } else if (random.one_in(4)) {
        Object* got[kCapacity];
        const size_t count = arrays.fetch_many(got, most);
        list.insert(list.end(), got, got + count);
      } else if (Object* object = arrays.fetch(); object != nullptr) {
        object->fill(random.next_u64());
        list.push_back(object);
      }
    }
  }
  handler_state.arrays = nullptr;
  if (handler_state.held != nullptr) list.push_back(handler_state.held);
  calls = handler_state.calls;
  handler_state = {};
}

TEST(ArrayStress, NothingIsLostAndNothingIsHandedOutTwice) {
  Arrays arrays;
  if (!arrays.machine.has_lockless_arrays()) GTEST_SKIP() << "no restartable sequences here";
  std::vector<Object> objects(kObjects);
  std::array<std::vector<Object*>, kWorkers> lists;
  std::array<uint64_t, kWorkers> calls{};
  for (unsigned i = 0; i != kObjects; ++i) {
    objects[i].number = i + 1;
    objects[i].fill(i);
    lists[i % kWorkers].push_back(&objects[i]);
  }
  Pool pool;
  size_t drained = 0;
  std::atomic<unsigned> working{kWorkers};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i != kWorkers; ++i) {
    threads.emplace_back([&, i] {
      work(arrays, pool, lists[i], 77 + i, calls[i]);
      --working;
    });
  }
  while (working != 0) {
    std::vector<Object*> list;
    arrays.drain(list);
    drained += list.size();
    const std::lock_guard guard(pool.lock);
    pool.objects.insert(pool.objects.end(), list.begin(), list.end());
    usleep(kDrainEveryUs);
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<Object*> all = pool.objects;
  arrays.drain(all);
  for (const std::vector<Object*>& list : lists) all.insert(all.end(), list.begin(), list.end());
  EXPECT_EQ(arrays.errors, 0U);
  EXPECT_EQ(all.size(), kObjects);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  for (const Object* object : all) EXPECT_TRUE(object->intact() && !object->stored);
  EXPECT_GT(drained, 1000U);
  for (uint64_t count : calls) EXPECT_GT(count, 10U);
}

TEST(ArrayStress, AnUnregisteredThreadFindsNothing) {
  // CPU -1 leads to the array at base, whose capacity is 0, as a stride of 0 does.
  alignas(64) unsigned char memory[256] = {};
  quarry_arrays hot{reinterpret_cast<uintptr_t>(memory), 0};
  int object = 0;
  EXPECT_EQ(Arch::pop(hot, 64), nullptr);
  EXPECT_EQ(Arch::push(hot, 64, &object, 0), PushResult::kRefused);
}

}  // namespace
}  // namespace quarry
