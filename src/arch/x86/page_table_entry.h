// SPDX-License-Identifier: MIT
#pragma once

// A last-level entry of the page tables of x86 (Intel SDM vol. 3A, 4.3 and 4.5): the frame number
// from bit 12 on, flags below it, and where the entry has 64 bits the no-execute flag on top.

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
  static constexpr Word kGlobal = 1u << 8;
  static constexpr unsigned kFrameShift = 12;

  Word bits;

  // Kernel data. Accessed and dirty are set here so that the CPU never writes to the table.
  static constexpr X86PageTableEntry make(Pfn frame, MapAccess access) {
    const Word writable = access == MapAccess::kReadWrite ? kWritable : 0;
    return {static_cast<Word>(Word{frame.value()} << kFrameShift | kPresent | kAccessed | kDirty |
                              kGlobal | kNoExecute | writable)};
  }
  constexpr bool present() const { return (bits & kPresent) != 0; }
  constexpr bool writable() const { return (bits & kWritable) != 0; }
  constexpr Pfn frame() const {
    return Pfn{static_cast<uint32_t>((bits & kFrameMask) >> kFrameShift)};
  }
};

// Drops this CPU's cached translation of the page that `address` lies in, global or not.
inline void x86_flush_page(VirtAddr address) {
  asm volatile("invlpg (%0)" : : "r"(address.value()) : "memory");
}

}  // namespace quarry
