// SPDX-License-Identifier: MIT
#pragma once

// What bare x86-64 and bare i386 share: array operations with interrupts off, and the block that
// each CPU finds through its segment register. A port that boots such a machine makes one CpuBlock
// for each CPU and loads its address into that register before it calls the core.

#include <cstddef>
#include <cstdint>

#include "quarry/abi/array.h"
#include "quarry/abi/context.h"

namespace quarry {

enum class PushResult : uint8_t;

struct CpuBlock {
  CpuBlock* self;  // so that one load through the segment gives the linear address
  int32_t cpu;
  quarry_context context;
};

inline constexpr size_t kCpuBlockCpuOffset = sizeof(void*);
static_assert(offsetof(CpuBlock, self) == 0 && offsetof(CpuBlock, cpu) == kCpuBlockCpuOffset);

// `Segment` supplies cpu() and block(), read through the segment register.
template <class Segment>
struct X86Arch {
  static constexpr unsigned kPageShift = 12;
  static constexpr unsigned kCacheLineBytes = 64;

  static int cpu_id() { return Segment::cpu(); }
  static quarry_context& context() { return Segment::block().context; }

  static unsigned long irq_save() {
    unsigned long flags;
    asm volatile("pushf\n\tpop %0\n\tcli" : "=rm"(flags) : : "memory");
    return flags;
  }
  static void irq_restore(unsigned long flags) {
    constexpr unsigned long kInterruptFlag = 1UL << 9;
    asm volatile("" : : : "memory");
    if ((flags & kInterruptFlag) != 0) asm volatile("sti" : : : "memory");
  }

  static void relax(unsigned) { asm volatile("pause" : : : "memory"); }

  static void* pop(const quarry_arrays& arrays) {
    const unsigned long flags = irq_save();
    quarry_array& array = own_array(arrays);
    void* object = array.count == 0 ? nullptr : array.slot[--array.count];
    irq_restore(flags);
    return object;
  }

  static PushResult push(const quarry_arrays& arrays, void* object, uint16_t node) {
    const unsigned long flags = irq_save();
    quarry_array& array = own_array(arrays);
    PushResult result = kPushed;
    if (array.count >= array.capacity || array.node != node) {
      result = kRefused;
    } else if (array.count != 0 && array.slot[array.count - 1] == object) {
      result = kTwice;
    } else {
      array.slot[array.count++] = object;
    }
    irq_restore(flags);
    return result;
  }

  static uint32_t pop_many(const quarry_arrays& arrays, void** objects, uint32_t count) {
    const unsigned long flags = irq_save();
    quarry_array& array = own_array(arrays);
    const uint32_t moved = count < array.count ? count : array.count;
    array.count -= moved;
    for (uint32_t i = 0; i != moved; ++i) objects[i] = array.slot[array.count + i];
    irq_restore(flags);
    return moved;
  }

  static uint32_t push_many(const quarry_arrays& arrays, void** objects, uint32_t count,
                            uint16_t node) {
    const unsigned long flags = irq_save();
    quarry_array& array = own_array(arrays);
    const uint32_t room =
        array.count < array.capacity && array.node == node ? array.capacity - array.count : 0;
    const uint32_t moved = count < room ? count : room;
    for (uint32_t i = 0; i != moved; ++i) array.slot[array.count + i] = objects[i];
    array.count += moved;
    irq_restore(flags);
    return moved;
  }

 private:
  // The enumerators of PushResult, which arch.h names after it has included the port's header.
  static constexpr PushResult kPushed{0};
  static constexpr PushResult kRefused{1};
  static constexpr PushResult kTwice{2};

  static quarry_array& own_array(const quarry_arrays& arrays) {
    const auto index = static_cast<uintptr_t>(Segment::cpu()) + 1;
    return *reinterpret_cast<quarry_array*>(arrays.base + index * arrays.stride);
  }
};

}  // namespace quarry
