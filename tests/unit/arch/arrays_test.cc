// SPDX-License-Identifier: MIT
// The array operations of this machine against those written out in array_ops.h.
#include "arch/arch.h"
#include "base/random.h"
#include "harness.h"
#include "machine_platform.h"

namespace {

using quarry::Arch;
using quarry::PushResult;
using quarry::Random;
namespace array_ops = quarry::array_ops;

constexpr uint32_t kEntries = 7;
constexpr uint32_t kNode = 2;
constexpr uintptr_t kOffset = 4096;

struct Array {
  alignas(quarry_array) unsigned char bytes[sizeof(quarry_array) + kEntries * sizeof(void*)];

  quarry_array& head() { return *reinterpret_cast<quarry_array*>(bytes); }
};

// The array that the test looks at is the one of the CPU that runs it.
class OwnArray {
 public:
  explicit OwnArray(Array& array) {
    // An open machine is what makes a process's sequences known.
    CHECK(harness::open_platform(machine_, {.cpus = 0, .cpu_kind = harness::CpuKind::kLockless}) ==
          nullptr);
    array.head().capacity = kEntries;
    array.head().node = kNode;
    arrays.stride = sizeof(Array);
    const auto index = static_cast<uintptr_t>(Arch::cpu_id()) + 1;
    arrays.base = reinterpret_cast<uintptr_t>(&array) - index * arrays.stride - kOffset;
  }
  // False: an emulator without restartable sequences.
  [[nodiscard]] bool usable() const { return Arch::cpu_id() >= 0; }

  quarry_arrays arrays{};

 private:
  harness::MachinePlatform machine_;
  harness::OneCpu cpu_;
};

void check_same(const quarry_array& got, const quarry_array& wanted) {
  REQUIRE_EQ(got.count, wanted.count);
  for (uint32_t i = 0; i != wanted.count; ++i) CHECK(got.slot[i] == wanted.slot[i]);
}

void move_many(Random& random, const quarry_arrays& arrays, quarry_array& model, void** names) {
  void* got[2 * kEntries] = {};
  void* wanted[2 * kEntries] = {};
  const uint32_t count = random.below(kEntries + 3);
  if (random.one_in(2)) {
    CHECK_EQ(Arch::pop_many(arrays, kOffset, got, count),
             array_ops::pop_many(model, wanted, count));
    for (uint32_t i = 0; i != count; ++i) CHECK(got[i] == wanted[i]);
  } else {
    const uint32_t node = random.one_in(8) ? kNode + 1 : kNode;
    CHECK_EQ(Arch::push_many(arrays, kOffset, names, count, node),
             array_ops::push_many(model, names, count, node));
  }
}

QUARRY_TEST(Arrays, do_what_is_written_out) {
  static Array array;
  static Array model;
  const OwnArray cpu(array);
  if (!cpu.usable()) return;
  model = array;
  static int objects[64];
  Random random(harness::seed());
  for (int i = 0; i != 200'000 && harness::run.failures == 0; ++i) {
    void* const object = &objects[random.below(64)];
    void* names[2 * kEntries];
    for (void*& name : names) name = &objects[random.below(64)];
    switch (random.below(7)) {
      case 0:
      case 1:
        CHECK(Arch::pop(cpu.arrays, kOffset) == array_ops::pop(model.head()));
        break;
      case 2:
      case 3:
      case 4: {
        const uint32_t node = random.one_in(20) ? kNode + 1 : kNode;
        CHECK_EQ(Arch::push(cpu.arrays, kOffset, object, node),
                 array_ops::push(model.head(), object, node));
        break;
      }
      default:
        move_many(random, cpu.arrays, model.head(), names);
    }
    check_same(array.head(), model.head());
  }
}

QUARRY_TEST(Arrays, entries_freed_twice_in_a_row_are_noticed) {
  static Array array;
  const OwnArray cpu(array);
  if (!cpu.usable()) return;
  int object[2] = {};
  CHECK_EQ(Arch::push(cpu.arrays, kOffset, &object[0], kNode), PushResult::kPushed);
  CHECK_EQ(Arch::push(cpu.arrays, kOffset, &object[0], kNode), PushResult::kTwice);
  CHECK_EQ(Arch::push(cpu.arrays, kOffset, &object[1], kNode), PushResult::kPushed);
  CHECK_EQ(Arch::push(cpu.arrays, kOffset, &object[1], kNode + 1), PushResult::kTwice);
}

// CPU -1 leads to the array at base, whose capacity is 0, and a stride of 0 leads all there.
QUARRY_TEST(Arrays, without_a_stride_there_is_nothing) {
  alignas(64) unsigned char stub[256] = {};
  const quarry_arrays arrays{reinterpret_cast<uintptr_t>(stub), 0};
  int object = 0;
  void* objects[] = {&object};
  CHECK(Arch::pop(arrays, 64) == nullptr);
  CHECK_EQ(Arch::push(arrays, 64, &object, 0), PushResult::kRefused);
  CHECK_EQ(Arch::pop_many(arrays, 64, objects, 1), 0U);
  CHECK_EQ(Arch::push_many(arrays, 64, objects, 1, 0), 0U);
}

QUARRY_TEST(Arch, interrupts_nest) {
  const bool before = harness::interrupts_off();
  const unsigned long outer = Arch::irq_save();
  const unsigned long inner = Arch::irq_save();
  CHECK(harness::interrupts_off());
  Arch::irq_restore(inner);
  CHECK(harness::interrupts_off());
  Arch::irq_restore(outer);
  CHECK_EQ(harness::interrupts_off(), before);
}

}  // namespace
