// SPDX-License-Identifier: MIT
#pragma once

// Bare i386 with two-level page tables: the CPU's block is found through FS. Physical memory above
// 896 MiB is not directly mapped.

#include "arch/x86/page_table_entry.h"
#include "arch/x86/x86_arch.h"

namespace quarry {

struct FsSegment {
  static int cpu() {
    int cpu;
    asm volatile("movl %%fs:%c1, %0" : "=r"(cpu) : "i"(kCpuBlockCpuOffset));
    return cpu;
  }
  static CpuBlock& block() {
    CpuBlock* block;
    asm volatile("movl %%fs:0, %0" : "=r"(block));
    return *block;
  }
};

struct Arch : X86Arch<FsSegment> {
  static constexpr unsigned kPageblockOrder = 10;  // 4 MiB, one entry of the upper level
  static constexpr bool kHasHighmem = true;
  static constexpr uint64_t kDma32Limit = 0;
  static constexpr uint64_t kLowmemLimit = uint64_t{896} << 20;

  using PageTableEntry = X86PageTableEntry<uint32_t, 0, 0xffff'f000>;
  static void flush_local_tlb(VirtAddr address) { x86_flush_page(address); }
};

static_assert(Arch::PageTableEntry::make(Pfn{0x12345}, MapAccess::kReadWrite).bits == 0x1234'5163);
static_assert(Arch::PageTableEntry::make(Pfn{0xf'ffff}, MapAccess::kReadOnly).frame() ==
              Pfn{0xf'ffff});
static_assert(!Arch::PageTableEntry::make(Pfn{1}, MapAccess::kReadOnly).writable());
static_assert(!Arch::PageTableEntry{}.present());

}  // namespace quarry
