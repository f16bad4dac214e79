// SPDX-License-Identifier: MIT
// Locked mode, on simulated CPUs; tests/hosted has the restartable sequences.
#include "sync/cpu_arrays.h"

#include "support/test_platform.h"

namespace quarry {
namespace {

constexpr unsigned kCpus = 3;
constexpr uint16_t kCapacity = 4;

constexpr size_t kArrayBytes = CpuArrays::array_bytes(kCapacity, kCpus);
// Something else of the owner lies in front of the arrays.
constexpr uintptr_t kOffset = 64;
constexpr uintptr_t kStride = kOffset + kArrayBytes;

struct Fixture {
  harness::TestPlatform platform{kCpus};
  SpinLock lock[kCpus];
  uint16_t node[kCpus] = {0, 0, 1};
  quarry_arrays hot;
  CpuArrayTable table;
  CpuArrays arrays;
  alignas(16) unsigned char memory[(kCpus + 1) * kStride] = {};
  int object[20];

  Fixture() {
    for (SpinLock& each : lock) each.set_rank(LockRank::kCpuArrays);
    table.init(platform, hot, memory, kStride, lock, node);
    arrays.init(table, kOffset, kCapacity);
  }
};

QUARRY_TEST(CpuArrays, fast_paths_find_nothing_in_locked_mode) {
  Fixture f;
  CHECK_EQ(f.hot.stride, 0U);
  CHECK_EQ(f.arrays.push(&f.object[0], 0), PushResult::kPushed);
  CHECK(Arch::pop(f.hot, kOffset) == nullptr);
  CHECK_EQ(Arch::push(f.hot, kOffset, &f.object[1], 0), PushResult::kRefused);
}

QUARRY_TEST(CpuArrays, what_was_freed_last_is_allocated_first) {
  Fixture f;
  CHECK_EQ(f.arrays.push(&f.object[0], 0), PushResult::kPushed);
  CHECK_EQ(f.arrays.push(&f.object[1], 0), PushResult::kPushed);
  CHECK(f.arrays.pop() == &f.object[1]);
  CHECK(f.arrays.pop() == &f.object[0]);
  CHECK(f.arrays.pop() == nullptr);
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
  CHECK_EQ(f.arrays.push_many(objects, 0), 4U);
  CHECK_EQ(f.arrays.push_many(objects, 0), 0U);
  CHECK(f.arrays.pop() == &f.object[3]);
  void* taken[6] = {};
  CHECK_EQ(f.arrays.pop_many(std::span(taken).first(2)), 2U);
  CHECK(taken[0] == &f.object[1] && taken[1] == &f.object[2]);
  CHECK_EQ(f.arrays.pop_many(taken), 1U);
  CHECK(taken[0] == &f.object[0]);
}

QUARRY_TEST(CpuArrays, take_all_empties_every_cpu) {
  Fixture f;
  f.arrays.push(&f.object[0], 0);
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
  CHECK(taken[0] == &f.object[0] && taken[1] == &f.object[1] && taken[2] == &f.object[2]);
  CHECK_EQ(f.arrays.count(CpuId(0)) + f.arrays.count(CpuId(1)), 0U);
}

QUARRY_TEST(CpuArrays, a_table_that_is_off_has_only_empty_and_full_arrays) {
  Fixture f;
  f.arrays.push(&f.object[0], 0);
  {
    const StoppedArrays stopped(f.table);
    CHECK(stopped.at_rest());
    CHECK(f.arrays.pop() == nullptr);
    CHECK_EQ(f.arrays.push(&f.object[1], 0), PushResult::kRefused);
  }
  CHECK(f.arrays.pop() == &f.object[0]);
}

QUARRY_TEST(CpuArrays, that_are_not_to_be_used_stay_off_when_nobody_stops_them) {
  Fixture f;
  f.arrays.push(&f.object[0], 0);
  f.table.enable(false);
  { const StoppedArrays stopped(f.table); }
  CHECK(f.arrays.pop() == nullptr);
  f.table.enable(true);
  CHECK(f.arrays.pop() == &f.object[0]);
}

QUARRY_TEST(CpuArrays, a_cpu_that_frees_nothing_costs_no_memory) {
  Fixture f;
  CHECK(f.arrays.pop() == nullptr);
  f.platform.on_cpu(1);
  f.arrays.push(&f.object[0], 0);
  for (size_t i = 3 * kStride; i != 4 * kStride; ++i) CHECK_EQ(f.memory[i], 0);
}

QUARRY_TEST(CpuArrays, capacity_zero_holds_nothing) {
  Fixture f;
  CpuArrays none;
  none.init(f.table, 0, 0);
  CHECK_EQ(none.push(&f.object[0], 0), PushResult::kRefused);
  CHECK(none.pop() == nullptr);
}

// The arrays of a cache that is gone become another's.
QUARRY_TEST(CpuArrays, begin_anew_with_another_capacity) {
  Fixture f;
  f.arrays.push(&f.object[0], 0);
  CHECK(f.arrays.pop() == &f.object[0]);
  f.arrays.init(f.table, kOffset, 0);
  CHECK_EQ(f.arrays.push(&f.object[0], 0), PushResult::kRefused);
  f.arrays.init(f.table, kOffset, 1);
  CHECK_EQ(f.arrays.push(&f.object[0], 0), PushResult::kPushed);
  CHECK_EQ(f.arrays.push(&f.object[1], 0), PushResult::kRefused);
}

}  // namespace
}  // namespace quarry
