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
  for (unsigned cpu = 0; cpu != cpus.count(); ++cpu) {
    if (is_active(CpuId(cpu))) array_of(CpuId(cpu))->capacity = 0;
  }
  for (unsigned cpu = 0; cpu < cpus.count(); cpu += 32) {
    active_word(CpuId(cpu)).store(0, std::memory_order_relaxed);
  }
  turn_on();
}

uint32_t CpuArrays::count(CpuId cpu) const {
  if (!is_active(cpu)) return 0;
  quarry_array& array = *array_of(cpu);
  if (!cpus_->lockless()) {
    LockGuard guard(cpus_->lock(cpu));
    return (array.ready + array.freed) / 2;
  }
  return (std::atomic_ref(array.ready).load(std::memory_order_relaxed) +
          std::atomic_ref(array.freed).load(std::memory_order_relaxed)) /
         2;
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
  // Two callers may meet here and write the same; the CPU itself writes only the sizes.
  std::atomic_ref(array->node).store(uint32_t{cpus_->node(cpu)}, std::memory_order_relaxed);
  std::atomic_ref(array->capacity).store(uint32_t{2} * capacity_, std::memory_order_release);
  return true;
}

bool CpuArrays::activate_here() {
  if (is_off()) return false;
  const int cpu = Arch::cpu_id();
  return cpu >= 0 && static_cast<unsigned>(cpu) < cpus_->count() && activate(CpuId(cpu));
}

uint32_t CpuArrays::take_piece(CpuId cpu, void** piece) {
  if (!is_active(cpu)) return 0;
  const auto take = [&] {
    quarry_array& array = *array_of(cpu);
    const uint32_t freed = array_ops::pop_many(array, ArraySide::kFreed, piece, kPiece);
    return freed != 0 ? freed : array_ops::pop_many(array, ArraySide::kReady, piece, kPiece);
  };
  if (cpus_->lockless()) return take();
  LockGuard guard(cpus_->lock(cpu));
  return take();
}

template <class Operation>
uint32_t CpuArrays::on_locked_array(Operation&& operation) {
  if (is_off()) return 0;
  const CpuId cpu = cpus_->current();
  LockGuard guard(cpus_->lock(cpu));
  activate(cpu);
  return operation(*array_of(cpu));
}

void* CpuArrays::pop() {
  if (cpus_->lockless()) return Arch::pop(*hot_);
  void* object = nullptr;
  on_locked_array([&](quarry_array& array) {
    object = array_ops::pop(array);
    return 0U;
  });
  return object;
}

uint32_t CpuArrays::turn_over() {
  if (cpus_->lockless()) return Arch::turn_over(*hot_);
  return on_locked_array([](quarry_array& array) { return array_ops::turn_over(array); });
}

PushResult CpuArrays::push(void* object, uint16_t node) {
  PushResult result = PushResult::kRefused;
  if (cpus_->lockless()) {
    result = Arch::push(*hot_, object, node);
    if (result != PushResult::kRefused || !activate_here()) return result;
    return Arch::push(*hot_, object, node);
  }
  on_locked_array([&](quarry_array& array) {
    result = array_ops::push(array, object, node);
    return 0U;
  });
  return result;
}

template <ArraySide kSide>
uint32_t CpuArrays::pop_many(std::span<void*> objects) {
  const auto count = static_cast<uint32_t>(objects.size());
  if (cpus_->lockless()) return Arch::pop_many<kSide>(*hot_, objects.data(), count);
  return on_locked_array([&](quarry_array& array) {
    return array_ops::pop_many(array, kSide, objects.data(), count);
  });
}

template <ArraySide kSide>
uint32_t CpuArrays::push_many(std::span<void* const> objects, uint16_t node) {
  const auto count = static_cast<uint32_t>(objects.size());
  if (cpus_->lockless()) {
    const uint32_t moved = Arch::push_many<kSide>(*hot_, objects.data(), count, node);
    if (moved != 0 || count == 0 || !activate_here()) return moved;
    return Arch::push_many<kSide>(*hot_, objects.data(), count, node);
  }
  return on_locked_array([&](quarry_array& array) {
    return array_ops::push_many(array, kSide, objects.data(), count, node);
  });
}

uint32_t CpuArrays::take_ready(std::span<void*> objects) {
  return pop_many<ArraySide::kReady>(objects);
}
uint32_t CpuArrays::take_freed(std::span<void*> objects) {
  return pop_many<ArraySide::kFreed>(objects);
}
uint32_t CpuArrays::put_ready(std::span<void* const> objects, uint16_t node) {
  return push_many<ArraySide::kReady>(objects, node);
}
uint32_t CpuArrays::put_freed(std::span<void* const> objects, uint16_t node) {
  return push_many<ArraySide::kFreed>(objects, node);
}

}  // namespace quarry
