// SPDX-License-Identifier: MIT
#pragma once

// The page tables of x86 (Intel SDM vol. 3A, 4.3 and 4.5). An entry is the frame number from bit 12
// on, flags below it, and where it has 64 bits the no-execute flag on top. The frame is a table of
// the next lower level, or on the last level what the address shows.

#include <cstdint>

#include "quarry/platform.h"
#include "quarry/units.h"

namespace quarry {

template <class Word, Word kNoExecute, Word kFrameMask>
struct X86PageTableEntry {
  static constexpr Word kPresent = 1u << 0;
  static constexpr Word kWritable = 1u << 1;
  static constexpr Word kAccessed = 1u << 5;
  static constexpr Word kDirty = 1u << 6;
  static constexpr Word kLarge = 1u << 7;
  static constexpr Word kGlobal = 1u << 8;
  static constexpr Word kOwned = 1u << 9;  // one of those that the processor leaves to software
  static constexpr unsigned kFrameShift = 12;

  Word bits;

  // Kernel data. Accessed and dirty are set here so that the CPU never writes to the table.
  static constexpr X86PageTableEntry make(Pfn frame, MapAccess access) {
    const Word writable = access == MapAccess::kReadWrite ? kWritable : 0;
    return {static_cast<Word>(Word{frame.value()} << kFrameShift | kPresent | kAccessed | kDirty |
                              kGlobal | kNoExecute | writable)};
  }
  // A table that the core has made; what may be done below it, its own entries say.
  static constexpr X86PageTableEntry make_table(Pfn table) {
    return {static_cast<Word>(Word{table.value()} << kFrameShift | kPresent | kWritable |
                              kAccessed | kOwned)};
  }
  constexpr bool present() const { return (bits & kPresent) != 0; }
  constexpr bool writable() const { return (bits & kWritable) != 0; }
  // Of an entry for a table: whether make_table() made it.
  constexpr bool owned() const { return (bits & kOwned) != 0; }
  // Of a present entry of a level above the last: whether it leads to no table, but is a large
  // page.
  constexpr bool large() const { return (bits & kLarge) != 0; }
  constexpr Pfn frame() const {
    return Pfn{static_cast<uint32_t>((bits & kFrameMask) >> kFrameShift)};
  }
  constexpr X86PageTableEntry next_frame() const {
    return {static_cast<Word>(bits + (Word{1} << kFrameShift))};
  }

  // Becomes `entry`, in one piece for a CPU that looks meanwhile. Where a word is less than an
  // entry, the half with the present flag is the first to go and the last to come.
  void write(X86PageTableEntry entry) {
    if constexpr (sizeof(Word) <= sizeof(uintptr_t)) {
      __atomic_store_n(&bits, entry.bits, __ATOMIC_RELEASE);
    } else {
      auto* const half = reinterpret_cast<HalfWord*>(&bits);
      __atomic_store_n(half, HalfWord{0}, __ATOMIC_RELEASE);
      __atomic_store_n(half + 1, static_cast<HalfWord>(entry.bits >> 32), __ATOMIC_RELEASE);
      __atomic_store_n(half, static_cast<HalfWord>(entry.bits), __ATOMIC_RELEASE);
    }
  }

 private:
  using HalfWord [[gnu::may_alias]] = uint32_t;
};

// i386: 4 GiB of addresses, frames below 4 GiB.
struct X86TwoLevelTables {
  using Entry = X86PageTableEntry<uint32_t, 0, 0xffff'f000>;
  static constexpr unsigned kLevels = 2;
  static constexpr unsigned kIndexBits = 10;
};

// x86-64: 48 bits of address.
struct X86FourLevelTables {
  using Entry = X86PageTableEntry<uint64_t, uint64_t{1} << 63, uint64_t{0x000f'ffff'ffff'f000}>;
  static constexpr unsigned kLevels = 4;
  static constexpr unsigned kIndexBits = 9;
};

// Drops this CPU's cached translation of the page that `address` lies in, global or not, and what
// it has cached of higher tables.
inline void x86_flush_page(VirtAddr address) {
  asm volatile("invlpg (%0)" : : "r"(address.value()) : "memory");
}

// Drops all of this CPU's cached translations, global ones too: what a change of CR4.PGE does (SDM
// vol. 3A, 4.10.4.1). Interrupts are off.
inline void x86_flush_all() {
  constexpr unsigned long kGlobalPages = 1UL << 7;
  unsigned long cr4;
  asm volatile("mov %%cr4, %0" : "=r"(cr4));
  asm volatile("mov %0, %%cr4" : : "r"(cr4 ^ kGlobalPages) : "memory");
  asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

}  // namespace quarry
