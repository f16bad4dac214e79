// SPDX-License-Identifier: MIT
#pragma once

// Per-CPU arrays as their owner sees them: set-up, the operations of slow paths in either mode, and
// taking away what all CPUs hold.
//
// Modes, fixed at boot by Platform::has_lockless_arrays():
//   lockless  the owner's fast path calls Arch::pop(hot) and Arch::push(hot, ...), and pop() and
//             push() here do the same
//   locked    hot.stride stays 0 for ever, so fast paths find nothing; pop() and push() here use
//             the array of Platform::current_cpu() under that CPU's lock
//
// Layout, for C CPUs:  hot.base + (c + 1) * stride is the array of CPU c; at hot.base is the stub
// of capacity 0, and behind the stub's header one bit for each CPU whose array was ever used. All
// memory starts as zeros, which is "capacity 0": an array gets its capacity when a slow path first
// finds it without one, so a CPU that never runs costs no memory.
//
// To empty all CPUs' arrays in lockless mode, one at a time for each CpuArrays:
//   turn_off() on all arrays wanted; ArrayCpus::settle() once; take_all() on each; turn_on().
// Between turn_off() and turn_on() pop() and push() find nothing and take nothing.

#include <atomic>
#include <cstddef>
#include <span>

#include "arch/arch.h"
#include "quarry/abi/array.h"
#include "quarry/platform.h"
#include "sync/spinlock.h"

namespace quarry {

// The CPUs that one owner's arrays belong to, and their locks in locked mode.
class ArrayCpus {
 public:
  // `locks`: one for each CPU, ranked by the owner; they are outermost of what take_all() calls.
  // `nodes`: the node of each CPU, as push() compares it. Both stay the owner's and must last.
  void init(Platform& platform, std::span<SpinLock> locks, std::span<const uint16_t> nodes) {
    platform_ = &platform;
    locks_ = locks.data();
    nodes_ = nodes.data();
    count_ = static_cast<unsigned>(locks.size());
    lockless_ = platform.has_lockless_arrays();
  }

  bool lockless() const { return lockless_; }
  unsigned count() const { return count_; }
  uint16_t node(CpuId cpu) const { return nodes_[cpu.value()]; }
  SpinLock& lock(CpuId cpu) const { return locks_[cpu.value()]; }
  CpuId current() const { return platform_->current_cpu(); }

  // Waits until no operation that began before can still use an array that was turned off. False:
  // the platform cannot tell, and what the arrays hold must not be touched.
  bool settle() const { return !lockless_ || platform_->restart_array_operations(); }

 private:
  Platform* platform_ = nullptr;
  SpinLock* locks_ = nullptr;
  const uint16_t* nodes_ = nullptr;
  unsigned count_ = 0;
  bool lockless_ = false;
};

class CpuArrays {
 public:
  // Bytes of one array whose stacks have that capacity each, for any owner with up to `cpus` CPUs.
  // Arrays of one CPU may lie side by side: the stride is then the sum of their sizes, the same for
  // all of them.
  static constexpr size_t array_bytes(unsigned capacity, unsigned cpus) {
    const size_t slots = 2 * capacity * sizeof(void*);
    const size_t used_bits = (cpus + 31) / 32 * sizeof(uint32_t);
    return round_up(sizeof(quarry_array) + (slots > used_bits ? slots : used_bits),
                    alignof(quarry_array));
  }

  // `memory` is (cpus + 1) * stride bytes, zeroed, or of earlier arrays with the same CPUs and
  // stride that are empty and no longer used. `hot` is what fast paths read; it is set here and
  // stays the owner's. A capacity of 0 makes arrays that never hold anything.
  void init(const ArrayCpus& cpus, quarry_arrays& hot, void* memory, uintptr_t stride,
            uint16_t capacity);

  // Entries of each of an array's two stacks.
  uint16_t capacity() const { return capacity_; }
  // What CPU `cpu` holds now. Exact only while nobody uses the arrays. Locked mode: takes the CPU's
  // lock.
  uint32_t count(CpuId cpu) const;

  // --- Operations of slow paths, on the array of the CPU the caller runs on. Any context. ---

  // Null: nothing is ready.
  void* pop();
  // Makes what was freed ready if nothing is; how many entries that are.
  uint32_t turn_over();
  PushResult push(void* object, uint16_t node);
  // As many as there are or fit; how many. The topmost ones, in the order of the stack.
  uint32_t take_ready(std::span<void*> objects);
  uint32_t take_freed(std::span<void*> objects);
  uint32_t put_ready(std::span<void* const> objects, uint16_t node);
  uint32_t put_freed(std::span<void* const> objects, uint16_t node);

  // --- Emptying; the owner makes sure that only one caller at a time does it ---

  void turn_off();
  void turn_on();
  bool is_off() const { return off_.load(std::memory_order_relaxed); }

  // Hands everything that all CPUs hold to `take(span<void*> objects)` in pieces and leaves the
  // arrays empty: lowest CPU first, of each the freed before the ready ones, topmost first.
  // Lockless mode: only between a settle() that returned true and turn_on(). No array lock is held
  // while `take` runs.
  template <class Take>
  void take_all(Take&& take) {
    void* piece[kPiece];
    for (unsigned cpu = 0; cpu != cpus_->count(); ++cpu) {
      while (const uint32_t count = take_piece(CpuId(cpu), piece)) take(std::span(piece, count));
    }
  }

  // Calls `visit(CpuId, void*)` for all that the arrays hold, for validate(): nobody may use them.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (unsigned cpu = 0; cpu != cpus_->count(); ++cpu) {
      if (!is_active(CpuId(cpu))) continue;
      const quarry_array& array = *array_of(CpuId(cpu));
      for (uint32_t i = 0; i != array.freed; i += 2) visit(CpuId(cpu), array.slot[i]);
      for (uint32_t i = 0; i != array.ready; i += 2) visit(CpuId(cpu), array.slot[i + 1]);
    }
  }

 private:
  static constexpr uint32_t kPiece = 64;

  quarry_array* array_of(CpuId cpu) const {
    return reinterpret_cast<quarry_array*>(hot_->base + (cpu.value() + uintptr_t{1}) * stride_);
  }
  std::atomic_ref<uint32_t> active_word(CpuId cpu) const {
    auto* stub = reinterpret_cast<quarry_array*>(hot_->base);
    return std::atomic_ref(reinterpret_cast<uint32_t*>(stub + 1)[cpu.value() / 32]);
  }
  bool is_active(CpuId cpu) const {
    return (active_word(cpu).load(std::memory_order_relaxed) >> cpu.value() % 32 & 1) != 0;
  }
  // Gives the array its capacity. False: it has it already, or there is none.
  bool activate(CpuId cpu);
  bool activate_here();
  uint32_t take_piece(CpuId cpu, void** piece);
  template <class Operation>
  uint32_t on_locked_array(Operation&& operation);
  template <ArraySide kSide>
  uint32_t pop_many(std::span<void*> objects);
  template <ArraySide kSide>
  uint32_t push_many(std::span<void* const> objects, uint16_t node);

  quarry_arrays* hot_ = nullptr;
  const ArrayCpus* cpus_ = nullptr;
  uintptr_t stride_ = 0;  // the real one; hot_->stride is this or 0
  uint16_t capacity_ = 0;
  std::atomic<bool> off_{false};
};

}  // namespace quarry
