// SPDX-License-Identifier: MIT
#pragma once

// The CPU as a thread of a Linux process sees it. Per-CPU arrays are used inside restartable
// sequences (rseq(2)): the kernel sends a sequence that was preempted, migrated or interrupted by a
// signal back to its start, so the single store that ends it needs neither a lock nor an atomic
// instruction. "Interrupts off" is a depth of the thread, which a signal handler can read.

#include <cstdint>

#include "port_arrays.h"
#include "quarry/abi/context.h"

extern "C" {
extern __thread quarry_context quarry_this_context __attribute__((tls_model("initial-exec")));
// Gives the CPU to another thread; defined by the port.
void quarry_hosted_yield();
}

namespace quarry {

struct Arch : ArraySequences {
  static constexpr unsigned kPageShift = 12;
  static constexpr unsigned kPageblockOrder = 9;
  static constexpr unsigned kCacheLineBytes = 64;
  static constexpr bool kHasHighmem = false;
  static constexpr uint64_t kDma32Limit = uint64_t{1} << 32;
  static constexpr uint64_t kLowmemLimit = ~uint64_t{0};
  static constexpr uint64_t kPhysicalLimit = ~uint64_t{0};
  static constexpr unsigned kSpinsBeforeYield = 64;

  static int cpu_id() {
    int cpu;
    asm volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(quarry_hosted_rseq_offset));
    return cpu;
  }

  static quarry_context& context() { return quarry_this_context; }
  static bool forbids_some_gfp() { return quarry_this_context.forbidden_gfp != 0; }

  static unsigned long irq_save() {
    asm volatile("" ::: "memory");
    unsigned long depth = quarry_this_context.irq_off_depth++;
    asm volatile("" ::: "memory");
    return depth;
  }

  static void irq_restore(unsigned long depth) {
    asm volatile("" ::: "memory");
    quarry_this_context.irq_off_depth = static_cast<uint32_t>(depth);
    asm volatile("" ::: "memory");
  }

  static void relax(unsigned spins) {
    if (spins % kSpinsBeforeYield == kSpinsBeforeYield - 1) quarry_hosted_yield();
    asm volatile("pause" ::: "memory");
  }
};

}  // namespace quarry
