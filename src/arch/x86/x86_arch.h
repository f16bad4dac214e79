// SPDX-License-Identifier: MIT
#pragma once

// What bare x86-64 and bare i386 share: array operations with interrupts off, and the block that
// each CPU finds through its segment register. A port that boots such a machine makes one CpuBlock
// for each CPU and loads its address into that register before it calls the core.

#include <cstddef>
#include <cstdint>

#include "arch/array_ops.h"
#include "quarry/abi/array.h"
#include "quarry/abi/context.h"

extern "C" {
// A turn of a spin loop, for the port: a CPU that spins with interrupts off answers the calls of
// other CPUs here (Platform::run_on_all_cpus()), or one that waits for its answer would keep what
// it spins for. It saves all registers, so that a fast path with a lock in it need not.
void quarry_bare_relax() __attribute__((no_caller_saved_registers));
}

namespace quarry {

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

  static void relax(unsigned) {
    asm volatile("pause\n\tcall quarry_bare_relax" : : : "memory", "cc");
  }

  static void* pop(const quarry_arrays& arrays, uintptr_t offset) {
    const InterruptsOff off;
    return array_ops::pop(own_array(arrays, offset));
  }
  static PushResult push(const quarry_arrays& arrays, uintptr_t offset, void* object,
                         uint32_t node) {
    const InterruptsOff off;
    return array_ops::push(own_array(arrays, offset), object, node);
  }
  static uint32_t pop_many(const quarry_arrays& arrays, uintptr_t offset, void** objects,
                           uint32_t count) {
    const InterruptsOff off;
    return array_ops::pop_many(own_array(arrays, offset), objects, count);
  }
  static uint32_t push_many(const quarry_arrays& arrays, uintptr_t offset, void* const* objects,
                            uint32_t count, uint32_t node) {
    const InterruptsOff off;
    return array_ops::push_many(own_array(arrays, offset), objects, count, node);
  }

 private:
  struct InterruptsOff {
    InterruptsOff() : flags(irq_save()) {}
    ~InterruptsOff() { irq_restore(flags); }
    unsigned long flags;
  };

  static quarry_array& own_array(const quarry_arrays& arrays, uintptr_t offset) {
    const auto index = static_cast<uintptr_t>(Segment::cpu()) + 1;
    return *reinterpret_cast<quarry_array*>(arrays.base + index * arrays.stride + offset);
  }
};

}  // namespace quarry
