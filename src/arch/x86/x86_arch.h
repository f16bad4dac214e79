// SPDX-License-Identifier: MIT
#pragma once

// What bare x86-64 and bare i386 share: the interrupt flag, and the block that each CPU finds
// through its segment register. A port that boots such a machine makes one CpuBlock for each CPU
// and loads its address into that register before it calls the core.

#include <cstddef>
#include <cstdint>

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
  uint32_t row;  // cpu + 1: the CPU's row in a table of arrays
  quarry_context context;

  void init(unsigned number) {
    self = this;
    cpu = static_cast<int32_t>(number);
    row = number + 1;
  }
};

inline constexpr size_t kCpuBlockCpuOffset = offsetof(CpuBlock, cpu);
inline constexpr size_t kCpuBlockRowOffset = offsetof(CpuBlock, row);
inline constexpr size_t kCpuBlockForbiddenOffset =
    offsetof(CpuBlock, context) + offsetof(quarry_context, forbidden_gfp);
static_assert(offsetof(CpuBlock, self) == 0);

// `Segment` supplies cpu(), forbids_some_gfp() and block(), read through the segment register.
template <class Segment>
struct X86Arch {
  static constexpr unsigned kPageShift = 12;
  static constexpr unsigned kCacheLineBytes = 64;

  static int cpu_id() { return Segment::cpu(); }
  static quarry_context& context() { return Segment::block().context; }
  static bool forbids_some_gfp() { return Segment::forbids_some_gfp(); }

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
};

}  // namespace quarry
