// SPDX-License-Identifier: MIT
#pragma once

// Bare x86-64: the CPU's block is found through GS.

#include "arch/x86/page_tables.h"
#include "arch/x86/x86_arch.h"
#include "port_arrays.h"

namespace quarry {

struct GsSegment {
  static int cpu() {
    int cpu;
    asm volatile("movl %%gs:%c1, %0" : "=r"(cpu) : "i"(kCpuBlockCpuOffset));
    return cpu;
  }
  static bool forbids_some_gfp() {
    bool some;
    // "memory": what was stored through context() before is there.
    asm volatile("cmpl $0, %%gs:%c1" : "=@ccne"(some) : "i"(kCpuBlockForbiddenOffset) : "memory");
    return some;
  }
  static CpuBlock& block() {
    CpuBlock* block;
    asm volatile("movq %%gs:0, %0" : "=r"(block));
    return *block;
  }
};

struct Arch : X86Arch<GsSegment>, ArraySequences {
  static constexpr unsigned kPageblockOrder = 9;  // 2 MiB, one entry of the middle level
  static constexpr bool kHasHighmem = false;
  static constexpr uint64_t kDma32Limit = uint64_t{1} << 32;
  static constexpr uint64_t kLowmemLimit = ~uint64_t{0};
  static constexpr uint64_t kPhysicalLimit = ~uint64_t{0};

  using TableFormat = X86FourLevelTables;
  static void flush_local_tlb(VirtAddr address) { x86_flush_page(address); }
  static void flush_local_tlb() { x86_flush_all(); }
};

}  // namespace quarry
