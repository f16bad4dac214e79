// SPDX-License-Identifier: MIT
#include "sync/cpu_arrays.h"

namespace quarry {

void CpuArrayTable::init(Platform& platform, quarry_arrays& hot, void* memory, uintptr_t stride,
                         std::span<SpinLock> locks, std::span<const uint16_t> nodes) {
  hot_ = &hot;
  stride_ = stride;
  platform_ = &platform;
  locks_ = locks.data();
  nodes_ = nodes.data();
  cpus_ = static_cast<unsigned>(locks.size());
  lockless_ = platform.has_lockless_arrays();
  hot = {reinterpret_cast<uintptr_t>(memory), 0};
  enable(true);
}

void CpuArrayTable::turn_off() {
  off_.store(true, std::memory_order_relaxed);
  // Ordered before the reads of take_all() by restart_array_operations().
  std::atomic_ref(hot_->stride).store(0, std::memory_order_relaxed);
}

void CpuArrayTable::turn_on() {
  off_.store(false, std::memory_order_relaxed);
  // Release: whoever finds an array through the stride sees what take_all() left in it.
  if (lockless_) std::atomic_ref(hot_->stride).store(stride_, std::memory_order_release);
}

void CpuArrayTable::enable(bool used) {
  enabled_ = used;
  used ? turn_on() : turn_off();
}

bool CpuArrayTable::stop() {
  turn_off();
  return !lockless_ || platform_->restart_array_operations();
}

void CpuArrayTable::resume() {
  if (enabled_) turn_on();
}

void CpuArrays::init(CpuArrayTable& table, uintptr_t offset, uint16_t capacity) {
  QUARRY_ASSERT(offset + array_bytes(capacity, table.cpus()) <= table.stride_);
  table_ = &table;
  offset_ = offset;
  capacity_ = capacity;
  for (unsigned cpu = 0; cpu != table.cpus(); ++cpu) {
    if (is_active(CpuId(cpu))) array_of(CpuId(cpu))->capacity = 0;
  }
  for (unsigned cpu = 0; cpu < table.cpus(); cpu += 32) {
    active_word(CpuId(cpu)).store(0, std::memory_order_relaxed);
  }
}

uint32_t CpuArrays::count(CpuId cpu) const {
  if (!is_active(cpu)) return 0;
  quarry_array& array = *array_of(cpu);
  if (!table_->lockless()) {
    LockGuard guard(table_->lock(cpu));
    return array.count;
  }
  return std::atomic_ref(array.count).load(std::memory_order_relaxed);
}

static void store_capacity(quarry_array& array, uint32_t capacity) {
  std::atomic_ref(array.capacity).store(capacity, std::memory_order_seq_cst);
}

void CpuArrays::set_capacity(uint16_t capacity) {
  std::atomic_ref(capacity_).store(capacity, std::memory_order_seq_cst);
  for (unsigned cpu = 0; cpu != table_->cpus(); ++cpu) {
    if (!is_active(CpuId(cpu))) continue;
    quarry_array& array = *array_of(CpuId(cpu));
    if (table_->lockless()) {
      store_capacity(array, capacity);
    } else {
      LockGuard guard(table_->lock(CpuId(cpu)));
      store_capacity(array, capacity);
    }
  }
}

bool CpuArrays::activate(CpuId cpu) {
  uint16_t allowed = capacity();
  if (allowed == 0 || is_active(cpu)) return false;
  // First the bit, so that no emptying misses an array that can hold something.
  active_word(cpu).fetch_or(1U << cpu.value() % 32, std::memory_order_seq_cst);
  quarry_array* array = array_of(cpu);
  // Two callers may meet here and write the same; the CPU itself writes only the count.
  std::atomic_ref(array->node)
      .store(uint32_t{table_->nodes_[cpu.value()]}, std::memory_order_relaxed);
  // Whoever changes the capacity meanwhile sees the bit, or is seen here.
  for (uint16_t stored = 0; stored != allowed; allowed = capacity()) {
    stored = allowed;
    store_capacity(*array, stored);
  }
  return true;
}

bool CpuArrays::activate_here() {
  if (is_off()) return false;
  const int cpu = Arch::cpu_id();
  return cpu >= 0 && static_cast<unsigned>(cpu) < table_->cpus() && activate(CpuId(cpu));
}

uint32_t CpuArrays::take_piece(CpuId cpu, void** piece) {
  if (!is_active(cpu)) return 0;
  quarry_array& array = *array_of(cpu);
  if (table_->lockless()) return array_ops::pop_many(array, piece, kPiece);
  LockGuard guard(table_->lock(cpu));
  return array_ops::pop_many(array, piece, kPiece);
}

static uint32_t take_bottom(quarry_array& array, std::span<void*> objects) {
  const auto wanted = static_cast<uint32_t>(objects.size());
  const uint32_t taken = wanted < array.count ? wanted : array.count;
  array.count -= taken;
  for (uint32_t i = 0; i != taken; ++i) objects[i] = array.slot[i];
  for (uint32_t i = 0; i != array.count; ++i) array.slot[i] = array.slot[taken + i];
  return taken;
}

uint32_t CpuArrays::take_oldest(CpuId cpu, std::span<void*> objects) {
  if (!is_active(cpu)) return 0;
  quarry_array& array = *array_of(cpu);
  if (table_->lockless()) return take_bottom(array, objects);
  LockGuard guard(table_->lock(cpu));
  return take_bottom(array, objects);
}

template <class Operation>
uint32_t CpuArrays::on_locked_array(Operation&& operation) {
  if (is_off()) return 0;
  const CpuId cpu = table_->platform_->current_cpu();
  LockGuard guard(table_->lock(cpu));
  activate(cpu);
  return operation(*array_of(cpu));
}

void* CpuArrays::pop() {
  if (table_->lockless()) return Arch::pop(*table_->hot_, offset_);
  void* object = nullptr;
  on_locked_array([&](quarry_array& array) {
    object = array_ops::pop(array);
    return 0U;
  });
  return object;
}

PushResult CpuArrays::push(void* object, uint16_t node) {
  PushResult result = PushResult::kRefused;
  if (table_->lockless()) {
    result = Arch::push(*table_->hot_, offset_, object, node);
    if (result != PushResult::kRefused || !activate_here()) return result;
    return Arch::push(*table_->hot_, offset_, object, node);
  }
  on_locked_array([&](quarry_array& array) {
    result = array_ops::push(array, object, node);
    return 0U;
  });
  return result;
}

uint32_t CpuArrays::pop_many(std::span<void*> objects) {
  const auto count = static_cast<uint32_t>(objects.size());
  if (table_->lockless()) return Arch::pop_many(*table_->hot_, offset_, objects.data(), count);
  return on_locked_array(
      [&](quarry_array& array) { return array_ops::pop_many(array, objects.data(), count); });
}

uint32_t CpuArrays::push_many(std::span<void* const> objects, uint16_t node) {
  const auto count = static_cast<uint32_t>(objects.size());
  if (table_->lockless()) {
    const uint32_t moved = Arch::push_many(*table_->hot_, offset_, objects.data(), count, node);
    if (moved != 0 || count == 0 || !activate_here()) return moved;
    return Arch::push_many(*table_->hot_, offset_, objects.data(), count, node);
  }
  return on_locked_array([&](quarry_array& array) {
    return array_ops::push_many(array, objects.data(), count, node);
  });
}

}  // namespace quarry
