// SPDX-License-Identifier: MIT
#pragma once

// Bare i386 with two-level page tables: the CPU's block is found through FS. Physical memory above
// 896 MiB is not directly mapped.

#include "arch/x86/interrupts_off_arrays.h"
#include "arch/x86/page_tables.h"
#include "arch/x86/x86_arch.h"

namespace quarry {

struct FsSegment {
  static int cpu() {
    int cpu;
    asm volatile("movl %%fs:%c1, %0" : "=r"(cpu) : "i"(kCpuBlockCpuOffset));
    return cpu;
  }
  static bool forbids_some_gfp() {
    bool some;
    // "memory": what was stored through context() before is there.
    asm volatile("cmpl $0, %%fs:%c1" : "=@ccne"(some) : "i"(kCpuBlockForbiddenOffset) : "memory");
    return some;
  }
  static CpuBlock& block() {
    CpuBlock* block;
    asm volatile("movl %%fs:0, %0" : "=r"(block));
    return *block;
  }
};

struct Arch : X86Arch<FsSegment>, InterruptsOffArrays<FsSegment> {
  static constexpr unsigned kPageblockOrder = 10;  // 4 MiB, one entry of the upper level
  static constexpr bool kHasHighmem = true;
  static constexpr uint64_t kDma32Limit = 0;
  static constexpr uint64_t kLowmemLimit = uint64_t{896} << 20;
  static constexpr uint64_t kPhysicalLimit = uint64_t{1} << 32;

  using TableFormat = X86TwoLevelTables;
  static void flush_local_tlb(VirtAddr address) { x86_flush_page(address); }
  static void flush_local_tlb() { x86_flush_all(); }
};

}  // namespace quarry
