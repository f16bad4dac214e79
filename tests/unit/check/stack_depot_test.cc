// SPDX-License-Identifier: MIT
#include "check/stack_depot.h"

#include "base/random.h"
#include "harness.h"

namespace {

using quarry::StackDepot;

// A depot over pools of its own.
struct Depot {
  static constexpr unsigned kPools = 8;

  alignas(void*) unsigned char memory[kPools][StackDepot::kPoolBytes];
  unsigned used = 0;
  StackDepot depot;

  uint32_t save(std::span<const uintptr_t> frames) {
    const uint32_t handle = depot.save(frames);
    if (handle != 0 || used == kPools) return handle;
    CHECK(depot.add_pool(memory[used++]));
    return depot.save(frames);
  }
};

bool equal(std::span<const uintptr_t> a, std::span<const uintptr_t> b) {
  return a.size() == b.size() && __builtin_memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

QUARRY_TEST(StackDepot, without_a_pool_there_is_no_room) {
  StackDepot depot;
  const uintptr_t frames[] = {1, 2, 3};
  CHECK_EQ(depot.save(frames), 0U);
  CHECK(depot.fetch(0).empty());
}

QUARRY_TEST(StackDepot, keeps_each_backtrace_once) {
  static Depot d;
  const uintptr_t a[] = {0x1000, 0x2000, 0x3000};
  const uintptr_t b[] = {0x1000, 0x2000};
  const uint32_t first = d.save(a);
  const uint32_t second = d.save(b);
  CHECK(first != 0 && second != 0 && first != second);
  CHECK_EQ(d.save(a), first);
  CHECK_EQ(d.save(b), second);
  CHECK(equal(d.depot.fetch(first), a));
  CHECK(equal(d.depot.fetch(second), b));
}

QUARRY_TEST(StackDepot, cuts_what_is_too_long) {
  static Depot d;
  uintptr_t frames[StackDepot::kMostFrames + 4];
  for (size_t i = 0; i != std::size(frames); ++i) frames[i] = i + 1;
  const auto kept = std::span(frames).first(StackDepot::kMostFrames);
  CHECK(equal(d.depot.fetch(d.save(frames)), kept));
}

QUARRY_TEST(StackDepot, fills_pool_after_pool_and_then_says_so) {
  static Depot d;
  static uint32_t handle[4096];
  quarry::Random random(harness::seed());
  uint32_t count = 0;
  uintptr_t frames[StackDepot::kMostFrames];
  const auto make = [&](uint32_t n) {
    for (uintptr_t& frame : frames) frame = n * uintptr_t{64} + (&frame - frames);
    return std::span<const uintptr_t>(frames).first(1 + n % StackDepot::kMostFrames);
  };
  while (count != std::size(handle) && (handle[count] = d.save(make(count))) != 0) ++count;
  REQUIRE(count > 500 && count != std::size(handle));
  CHECK_EQ(d.depot.pools(), Depot::kPools);
  for (uint32_t n = 0; n != count; ++n) {
    CHECK(equal(d.depot.fetch(handle[n]), make(n)));
    CHECK_EQ(d.depot.save(make(n)), handle[n]);
  }
}

QUARRY_TEST(StackDepot, bears_numbers_that_are_no_handles) {
  static Depot d;
  const uintptr_t frames[] = {1, 2, 3};
  REQUIRE(d.save(frames) != 0);
  __builtin_memset(d.memory[0] + StackDepot::kPoolBytes / 2, 0xff, StackDepot::kPoolBytes / 2);
  for (uint32_t handle = 0; handle != 2 * StackDepot::kPoolBytes; ++handle) {
    CHECK(d.depot.fetch(handle).size() <= StackDepot::kMostFrames);
  }
  CHECK(d.depot.fetch(0xffffffff).empty());
}

QUARRY_TEST(StackDepot, gives_all_pools_back_with_the_last_holder) {
  static Depot d;
  d.depot.hold();
  d.depot.hold();
  uintptr_t frames[StackDepot::kMostFrames] = {};
  for (uint32_t n = 0; d.used != 3; ++n) {
    frames[0] = n;
    d.save(frames);
  }
  unsigned given = 0;
  const auto give_back = [&](void* pool) {
    CHECK(pool == d.memory[2 - given]);  // the first, which knows the others, last
    ++given;
  };
  d.depot.release(give_back);
  CHECK_EQ(given, 0U);
  d.depot.release(give_back);
  CHECK_EQ(given, 3U);
  CHECK_EQ(d.depot.pools(), 0U);
  CHECK_EQ(d.depot.save(frames), 0U);
}

}  // namespace
