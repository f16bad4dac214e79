// SPDX-License-Identifier: MIT
#pragma once

// What a port to bare x86-64 or i386 supplies beside its Platform (docs/porting.md): a block for
// each CPU, a function for spin loops, and on x86-64 the restart of what an interrupt interrupted.

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

// The port makes one for each CPU, zeroed, calls init(), and loads its address into the base of GS
// (x86-64) or FS (i386) before that CPU calls the core.
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

// An operation on a per-CPU array, in the section quarry_sequences; x86-64 only. An interrupt entry
// that finds the interrupted instruction pointer in [start, end) of one of them replaces it by
// start, before anything else may use arrays. At end the store that ends the sequence has happened.
struct RestartableSequence {
  uintptr_t start;
  uintptr_t end;
};

}  // namespace quarry
