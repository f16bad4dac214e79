// SPDX-License-Identifier: MIT
#pragma once

// Per-CPU arrays as their owner sees them: set-up, the operations of slow paths in either mode, and
// taking away what all CPUs hold. A CpuArrayTable has everything that the arrays of one owner
// share; a CpuArrays is one array for each CPU in it, those of one cache or one kind of page.
//
// Modes, fixed at boot by Platform::has_lockless_arrays():
//   lockless  the owner's fast path calls Arch::pop(hot, offset) and Arch::push(hot, offset, ...),
//             and pop() and push() here do the same
//   locked    hot.stride stays 0 for ever, so fast paths find nothing; pop() and push() here use
//             the array of Platform::current_cpu() under that CPU's lock
//
// Layout, for C CPUs:  hot.base + (c + 1) * stride + offset is the array of CPU c; at hot.base +
// offset is the stub of capacity 0, and behind the stub's header one bit for each CPU whose array
// was ever used. All memory starts as zeros, which is "capacity 0": an array gets its capacity when
// a slow path first finds it without one, so a CPU that never runs costs no memory.
//
// To look into arrays of other CPUs, one caller at a time: as long as a StoppedArrays is there,
// pop() and push() find nothing and take nothing, in any array of the table. It has no effect on
// what is under way in locked mode; there each operation below takes the array's lock.

#include <atomic>
#include <cstddef>
#include <span>

#include "arch/arch.h"
#include "quarry/abi/array.h"
#include "quarry/platform.h"
#include "sync/spinlock.h"

namespace quarry {

class CpuArrayTable {
 public:
  // `hot` is what fast paths read; it is set here. `memory` is (CPUs + 1) * stride bytes, zeroed.
  // `locks`: one for each CPU, ranked by the owner; they are outermost of what take_all() calls.
  // `nodes`: the node of each CPU, as push() compares it. All of them stay the owner's and last.
  void init(Platform& platform, quarry_arrays& hot, void* memory, uintptr_t stride,
            std::span<SpinLock> locks, std::span<const uint16_t> nodes);

  bool lockless() const { return lockless_; }
  unsigned cpus() const { return cpus_; }
  SpinLock& lock(CpuId cpu) const { return locks_[cpu.value()]; }

  // Of these one caller at a time.
  // Whether the arrays are used while nobody stops them; after init() they are.
  void enable(bool used);
  // Turns the arrays off, and waits until no operation that began before can still use them. False:
  // the platform cannot tell, and what the arrays hold must not be touched.
  bool stop();
  // On again, if they are to be used.
  void resume();
  bool is_off() const { return off_.load(std::memory_order_relaxed); }

 private:
  friend class CpuArrays;

  void turn_off();
  void turn_on();

  quarry_arrays* hot_ = nullptr;
  uintptr_t stride_ = 0;  // the real one; hot_->stride is this or 0
  Platform* platform_ = nullptr;
  SpinLock* locks_ = nullptr;
  const uint16_t* nodes_ = nullptr;
  unsigned cpus_ = 0;
  bool lockless_ = false;
  bool enabled_ = true;  // guarded by who has the one call at a time
  std::atomic<bool> off_{false};
};

// The arrays of a table are off as long as this is there.
class StoppedArrays {
 public:
  explicit StoppedArrays(CpuArrayTable& table) : table_(table), at_rest_(table.stop()) {}
  ~StoppedArrays() { table_.resume(); }
  StoppedArrays(const StoppedArrays&) = delete;
  StoppedArrays& operator=(const StoppedArrays&) = delete;

  // False: as CpuArrayTable::stop().
  bool at_rest() const { return at_rest_; }

 private:
  CpuArrayTable& table_;
  const bool at_rest_;
};

class CpuArrays {
 public:
  // Bytes of one array of that capacity, for any owner with up to `cpus` CPUs.
  static constexpr size_t array_bytes(unsigned capacity, unsigned cpus) {
    const size_t slots = capacity * sizeof(void*);
    const size_t used_bits = (cpus + 31) / 32 * sizeof(uint32_t);
    return round_up(sizeof(quarry_array) + (slots > used_bits ? slots : used_bits),
                    alignof(quarry_array));
  }

  // The array_bytes() at `offset` of each CPU's part of the table are these arrays' alone: zeroed,
  // or left by earlier arrays that are empty and no longer used. A capacity of 0 makes arrays that
  // never hold anything.
  void init(CpuArrayTable& table, uintptr_t offset, uint16_t capacity);

  uintptr_t offset() const { return offset_; }
  // Entries that each array can have.
  uint16_t capacity() const {
    return std::atomic_ref(const_cast<uint16_t&>(capacity_)).load(std::memory_order_relaxed);
  }
  // Gives all arrays another capacity, within the bytes that init() had. They are off, and empty
  // but for what somebody puts there at this moment.
  void set_capacity(uint16_t capacity);
  bool is_off() const { return table_->is_off(); }
  // What CPU `cpu` holds now. Exact only while nobody uses the arrays. Locked mode: takes the CPU's
  // lock.
  uint32_t count(CpuId cpu) const;

  // --- Operations of slow paths, on the array of the CPU the caller runs on. Any context. ---

  // Null: the array is empty or off.
  void* pop();
  PushResult push(void* object, uint16_t node);
  // As many as there are or fit; how many. The topmost ones, in the order of the stack.
  uint32_t pop_many(std::span<void*> objects);
  uint32_t push_many(std::span<void* const> objects, uint16_t node);

  // --- Emptying; the owner makes sure that only one caller at a time does it ---

  // Hands everything that all CPUs hold to `take(span<void*> objects)` in pieces and leaves the
  // arrays empty: lowest CPU first, of each the topmost first. Lockless mode: only while they are
  // stopped and at rest. No array lock is held while `take` runs.
  template <class Take>
  void take_all(Take&& take) {
    void* piece[kPiece];
    for (unsigned cpu = 0; cpu != table_->cpus(); ++cpu) {
      while (const uint32_t count = take_piece(CpuId(cpu), piece)) take(std::span(piece, count));
    }
  }

  // The same for up to objects.size() entries of one CPU that are there longest; how many.
  uint32_t take_oldest(CpuId cpu, std::span<void*> objects);

  // Calls `visit(CpuId, void*)` for all that the arrays hold, for validate(): nobody may use them.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (unsigned cpu = 0; cpu != table_->cpus(); ++cpu) {
      if (!is_active(CpuId(cpu))) continue;
      const quarry_array& array = *array_of(CpuId(cpu));
      for (uint32_t i = 0; i != array.count; ++i) visit(CpuId(cpu), array.slot[i]);
    }
  }

 private:
  static constexpr uint32_t kPiece = 64;

  quarry_array* array_of(CpuId cpu) const {
    return reinterpret_cast<quarry_array*>(
        table_->hot_->base + (cpu.value() + uintptr_t{1}) * table_->stride_ + offset_);
  }
  std::atomic_ref<uint32_t> active_word(CpuId cpu) const {
    auto* stub = reinterpret_cast<quarry_array*>(table_->hot_->base + offset_);
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

  CpuArrayTable* table_ = nullptr;
  uintptr_t offset_ = 0;
  uint16_t capacity_ = 0;
};

}  // namespace quarry
