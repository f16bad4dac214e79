// SPDX-License-Identifier: MIT
// Locked mode, on simulated CPUs; tests/hosted has the restartable sequences.
#include "sync/cpu_arrays.h"

#include "support/test_platform.h"

namespace quarry {
namespace {

constexpr unsigned kCpus = 3;
constexpr uint16_t kCapacity = 4;

struct Fixture {
  harness::TestPlatform platform{kCpus};
  SpinLock lock[kCpus];
  uint16_t node[kCpus] = {0, 0, 1};
  ArrayCpus cpus;
  quarry_arrays hot;
  CpuArrays arrays;
  alignas(16) unsigned char memory[(kCpus + 1) * CpuArrays::array_bytes(kCapacity, kCpus)] = {};
  int object[20];

  Fixture() {
    for (SpinLock& each : lock) each.set_rank(LockRank::kCpuArrays);
    cpus.init(platform, lock, node);
    arrays.init(cpus, hot, memory, CpuArrays::array_bytes(kCapacity, kCpus), kCapacity);
  }
};

QUARRY_TEST(CpuArrays, fast_paths_find_nothing_in_locked_mode) {
  Fixture f;
  CHECK_EQ(f.hot.stride, 0U);
  CHECK_EQ(f.arrays.push(&f.object[0], 0), PushResult::kPushed);
  CHECK(Arch::pop(f.hot) == nullptr);
  CHECK_EQ(Arch::push(f.hot, &f.object[1], 0), PushResult::kRefused);
}

QUARRY_TEST(CpuArrays, freed_entries_become_ready_by_turning_over) {
  Fixture f;
  CHECK_EQ(f.arrays.push(&f.object[0], 0), PushResult::kPushed);
  CHECK_EQ(f.arrays.push(&f.object[1], 0), PushResult::kPushed);
  CHECK(f.arrays.pop() == nullptr);
  CHECK_EQ(f.arrays.turn_over(), 2U);
  CHECK(f.arrays.pop() == &f.object[1]);
  CHECK(f.arrays.pop() == &f.object[0]);
  CHECK(f.arrays.pop() == nullptr);
  CHECK_EQ(f.arrays.turn_over(), 0U);
}

QUARRY_TEST(CpuArrays, refuses_what_does_not_fit_and_other_nodes) {
  Fixture f;
  for (unsigned i = 0; i != kCapacity; ++i) f.arrays.push(&f.object[i], 0);
  CHECK_EQ(f.arrays.push(&f.object[9], 0), PushResult::kRefused);
  f.platform.on_cpu(2);
  CHECK_EQ(f.arrays.push(&f.object[9], 0), PushResult::kRefused);
  CHECK_EQ(f.arrays.push(&f.object[9], 1), PushResult::kPushed);
  CHECK_EQ(f.arrays.push(&f.object[9], 1), PushResult::kTwice);
  CHECK_EQ(f.arrays.count(CpuId(0)), 4U);
  CHECK_EQ(f.arrays.count(CpuId(1)), 0U);
  CHECK_EQ(f.arrays.count(CpuId(2)), 1U);
}

QUARRY_TEST(CpuArrays, moves_many_at_once) {
  Fixture f;
  void* objects[6];
  for (int i = 0; i != 6; ++i) objects[i] = &f.object[i];
  CHECK_EQ(f.arrays.put_ready(objects, 0), 4U);
  CHECK(f.arrays.pop() == &f.object[3]);
  void* taken[6] = {};
  CHECK_EQ(f.arrays.take_ready(taken), 3U);
  CHECK(taken[0] == &f.object[0] && taken[2] == &f.object[2]);
  CHECK_EQ(f.arrays.put_freed(std::span(objects).first(2), 0), 2U);
  CHECK_EQ(f.arrays.take_freed(std::span(taken).first(1)), 1U);
  CHECK(taken[0] == &f.object[1]);
}

QUARRY_TEST(CpuArrays, take_all_empties_every_cpu) {
  Fixture f;
  f.arrays.push(&f.object[0], 0);
  f.arrays.turn_over();
  f.arrays.push(&f.object[1], 0);
  f.platform.on_cpu(1);
  f.arrays.push(&f.object[2], 0);
  unsigned visited = 0;
  f.arrays.for_each([&](CpuId, void*) { ++visited; });
  CHECK_EQ(visited, 3U);
  void* taken[8];
  size_t count = 0;
  f.arrays.take_all([&](std::span<void*> objects) {
    for (void* object : objects) taken[count++] = object;
  });
  REQUIRE_EQ(count, 3U);
  CHECK(taken[0] == &f.object[1] && taken[1] == &f.object[0] && taken[2] == &f.object[2]);
  CHECK_EQ(f.arrays.count(CpuId(0)) + f.arrays.count(CpuId(1)), 0U);
}

QUARRY_TEST(CpuArrays, off_means_empty_and_full) {
  Fixture f;
  f.arrays.push(&f.object[0], 0);
  f.arrays.turn_off();
  CHECK_EQ(f.arrays.turn_over(), 0U);
  CHECK_EQ(f.arrays.push(&f.object[1], 0), PushResult::kRefused);
  f.arrays.turn_on();
  CHECK_EQ(f.arrays.turn_over(), 1U);
  CHECK(f.arrays.pop() == &f.object[0]);
}

QUARRY_TEST(CpuArrays, a_cpu_that_frees_nothing_costs_no_memory) {
  Fixture f;
  CHECK(f.arrays.pop() == nullptr);
  f.platform.on_cpu(1);
  f.arrays.push(&f.object[0], 0);
  const size_t stride = CpuArrays::array_bytes(kCapacity, kCpus);
  for (size_t i = 3 * stride; i != 4 * stride; ++i) CHECK_EQ(f.memory[i], 0);
}

QUARRY_TEST(CpuArrays, capacity_zero_holds_nothing) {
  Fixture f;
  alignas(16) unsigned char memory[(kCpus + 1) * CpuArrays::array_bytes(0, kCpus)] = {};
  CpuArrays none;
  quarry_arrays hot;
  none.init(f.cpus, hot, memory, CpuArrays::array_bytes(0, kCpus), 0);
  CHECK_EQ(none.push(&f.object[0], 0), PushResult::kRefused);
  CHECK(none.pop() == nullptr);
}

}  // namespace
}  // namespace quarry
