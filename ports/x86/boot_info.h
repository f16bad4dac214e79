// SPDX-License-Identifier: MIT
#pragma once

// What the loader says of the machine, by the Xen PVH entry (QEMU's -kernel; "x86/HVM direct boot
// ABI" of Xen) or by multiboot2 (GRUB; "Multiboot2 Specification" 2.0). All of it is copied here
// before anything is allocated: the loader's own block lies in memory that is said to be free.

#include <cstdint>
#include <span>

#include "quarry/units.h"

namespace quarry {

// [start, start + bytes) of physical memory.
struct PhysRange {
  uint64_t start;
  uint64_t bytes;

  constexpr uint64_t end() const { return start + bytes; }
  constexpr bool overlaps(const PhysRange& other) const {
    return start < other.end() && other.start < end();
  }
};

// A line of the firmware's memory map (ACPI 6.4, table 15.4: address range types).
struct BootRange : PhysRange {
  static constexpr uint32_t kUsable = 1;
  uint32_t type;
};

struct BootInfo {
  static constexpr unsigned kMaxRanges = 64;
  static constexpr unsigned kMaxReserved = 16;
  static constexpr unsigned kMaxModules = 4;
  static constexpr unsigned kMaxCommandLine = 1024;

  const char* loader = "";
  char command_line[kMaxCommandLine] = {};
  // The root of the ACPI tables; 0: there are none.
  uint64_t acpi_root = 0;
  bool acpi_root_is_xsdt = false;

  BootRange range[kMaxRanges] = {};
  unsigned range_count = 0;
  // Files that came along (-initrd, module2).
  PhysRange module[kMaxModules] = {};
  unsigned module_count = 0;
  // What of the usable memory is taken: kernel, modules, first tables.
  PhysRange reserved[kMaxReserved] = {};
  unsigned reserved_count = 0;

  std::span<const BootRange> ranges() const { return {range, range_count}; }
  std::span<const PhysRange> modules() const { return {module, module_count}; }
  std::span<const PhysRange> reservations() const { return {reserved, reserved_count}; }

  // Where the last usable memory ends.
  uint64_t usable_end() const;
  void reserve(PhysRange taken);
  // Reserves `bytes` of usable memory below `limit`, aligned to pages. 0: there is none.
  uint64_t take(uint64_t bytes, uint64_t limit);
};

// `magic` and `block` are what the loader left in two registers: multiboot2's magic number or 0,
// and the physical address of its block, seen at kKernelOffset. Null, or what is wrong.
const char* read_boot_info(BootInfo& info, uint32_t magic, uint32_t block);

}  // namespace quarry
