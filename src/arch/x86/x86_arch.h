// SPDX-License-Identifier: MIT
#pragma once

// What bare x86-64 and bare i386 share: the interrupt flag, and the block that each CPU finds
// through its segment register.

#include "quarry/x86_cpu.h"

namespace quarry {

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
