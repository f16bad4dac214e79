// SPDX-License-Identifier: MIT
#include "sync/cpu_arrays.h"

namespace quarry {

void CpuArrays::init(const ArrayCpus& cpus, quarry_arrays& hot, void* memory, uintptr_t stride,
                     uint16_t capacity) {
  QUARRY_ASSERT(stride >= array_bytes(capacity, cpus.count()));
  cpus_ = &cpus;
  hot_ = &hot;
  stride_ = stride;
  capacity_ = capacity;
  hot.base = reinterpret_cast<uintptr_t>(memory);
  hot.stride = 0;
  turn_on();
}

uint32_t CpuArrays::count(CpuId cpu) const {
  if (!is_active(cpu)) return 0;
  return std::atomic_ref(array_of(cpu)->count).load(std::memory_order_relaxed);
}

void CpuArrays::turn_off() {
  off_.store(true, std::memory_order_relaxed);
  // Ordered before the reads of take_all() by ArrayCpus::settle().
  std::atomic_ref(hot_->stride).store(0, std::memory_order_relaxed);
}

void CpuArrays::turn_on() {
  off_.store(false, std::memory_order_relaxed);
  // Release: whoever finds an array through the stride sees what take_all() left in it.
  if (cpus_->lockless()) std::atomic_ref(hot_->stride).store(stride_, std::memory_order_release);
}

bool CpuArrays::activate(CpuId cpu) {
  if (capacity_ == 0 || is_active(cpu)) return false;
  // First the bit, so that no emptying misses an array that can hold something.
  active_word(cpu).fetch_or(1U << cpu.value() % 32, std::memory_order_seq_cst);
  quarry_array* array = array_of(cpu);
  // Two callers may meet here and write the same; the CPU itself writes only `count`.
  std::atomic_ref(array->node).store(cpus_->node(cpu), std::memory_order_relaxed);
  std::atomic_ref(array->capacity).store(capacity_, std::memory_order_release);
  return true;
}

bool CpuArrays::activate_here() {
  if (is_off()) return false;
  const int cpu = Arch::cpu_id();
  return cpu >= 0 && static_cast<unsigned>(cpu) < cpus_->count() && activate(CpuId(cpu));
}

uint32_t CpuArrays::take_piece(CpuId cpu, void** piece) {
  if (!is_active(cpu)) return 0;
  if (cpus_->lockless()) return pop_from(*array_of(cpu), piece, kPiece);
  LockGuard guard(cpus_->lock(cpu));
  return pop_from(*array_of(cpu), piece, kPiece);
}

uint32_t CpuArrays::pop_from(quarry_array& array, void** objects, uint32_t count) {
  const uint32_t moved = count < array.count ? count : array.count;
  array.count -= moved;
  for (uint32_t i = 0; i != moved; ++i) objects[i] = array.slot[array.count + i];
  return moved;
}

uint32_t CpuArrays::push_to(quarry_array& array, void* const* objects, uint32_t count,
                            uint16_t node) {
  if (array.node != node || array.count >= array.capacity) return 0;
  const uint32_t room = array.capacity - array.count;
  const uint32_t moved = count < room ? count : room;
  for (uint32_t i = 0; i != moved; ++i) array.slot[array.count + i] = objects[i];
  array.count += moved;
  return moved;
}

void* CpuArrays::pop() {
  if (cpus_->lockless()) return Arch::pop(*hot_);
  void* object = nullptr;
  return pop_many(std::span(&object, 1)) != 0 ? object : nullptr;
}

uint32_t CpuArrays::pop_many(std::span<void*> objects) {
  const auto count = static_cast<uint32_t>(objects.size());
  if (cpus_->lockless()) return Arch::pop_many(*hot_, objects.data(), count);
  if (is_off()) return 0;
  const CpuId cpu = cpus_->current();
  if (!is_active(cpu)) return 0;
  LockGuard guard(cpus_->lock(cpu));
  return pop_from(*array_of(cpu), objects.data(), count);
}

PushResult CpuArrays::push(void* object, uint16_t node) {
  if (cpus_->lockless()) {
    const PushResult result = Arch::push(*hot_, object, node);
    if (result != PushResult::kRefused || !activate_here()) return result;
    return Arch::push(*hot_, object, node);
  }
  if (is_off()) return PushResult::kRefused;
  const CpuId cpu = cpus_->current();
  activate(cpu);
  LockGuard guard(cpus_->lock(cpu));
  quarry_array& array = *array_of(cpu);
  if (array.count != 0 && array.slot[array.count - 1] == object) return PushResult::kTwice;
  return push_to(array, &object, 1, node) != 0 ? PushResult::kPushed : PushResult::kRefused;
}

uint32_t CpuArrays::push_many(std::span<void* const> objects, uint16_t node) {
  const auto count = static_cast<uint32_t>(objects.size());
  if (cpus_->lockless()) {
    // The contract of pushing does not write to the objects.
    void** from = const_cast<void**>(objects.data());
    const uint32_t moved = Arch::push_many(*hot_, from, count, node);
    if (moved != 0 || count == 0 || !activate_here()) return moved;
    return Arch::push_many(*hot_, from, count, node);
  }
  if (is_off()) return 0;
  const CpuId cpu = cpus_->current();
  activate(cpu);
  LockGuard guard(cpus_->lock(cpu));
  return push_to(*array_of(cpu), objects.data(), count, node);
}

}  // namespace quarry
