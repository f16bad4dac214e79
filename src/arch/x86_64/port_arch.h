// SPDX-License-Identifier: MIT
#pragma once

// Bare x86-64: the CPU's block is found through GS.

#include "arch/x86/page_table_entry.h"
#include "arch/x86/x86_arch.h"

namespace quarry {

struct GsSegment {
  static int cpu() {
    int cpu;
    asm volatile("movl %%gs:%c1, %0" : "=r"(cpu) : "i"(kCpuBlockCpuOffset));
    return cpu;
  }
  static CpuBlock& block() {
    CpuBlock* block;
    asm volatile("movq %%gs:0, %0" : "=r"(block));
    return *block;
  }
};

struct Arch : X86Arch<GsSegment> {
  static constexpr unsigned kPageblockOrder = 9;  // 2 MiB, one entry of the middle level
  static constexpr bool kHasHighmem = false;
  static constexpr uint64_t kDma32Limit = uint64_t{1} << 32;
  static constexpr uint64_t kLowmemLimit = ~uint64_t{0};

  using PageTableEntry =
      X86PageTableEntry<uint64_t, uint64_t{1} << 63, uint64_t{0x000f'ffff'ffff'f000}>;
  static void flush_local_tlb(VirtAddr address) { x86_flush_page(address); }
};

static_assert(Arch::PageTableEntry::make(Pfn{0x12345}, MapAccess::kReadWrite).bits ==
              0x8000'0000'1234'5163);
static_assert(Arch::PageTableEntry::make(Pfn{0xffff'ffff}, MapAccess::kReadOnly).frame() ==
              Pfn{0xffff'ffff});
static_assert(!Arch::PageTableEntry::make(Pfn{1}, MapAccess::kReadOnly).writable());
static_assert(!Arch::PageTableEntry{}.present());

}  // namespace quarry
