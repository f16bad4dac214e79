// SPDX-License-Identifier: MIT
#include "x86/paging.h"

#include "arch/arch.h"
#include "port_layout.h"
#include "x86/cpu.h"
#include "x86/image.h"
#include "x86/kernel_map.h"

extern "C" {
// The topmost table; a CPU that starts takes it up in boot.S.
extern uint32_t quarry_kernel_root[1024];
}

namespace quarry {
namespace {

using Entry = Arch::TableFormat::Entry;

constexpr unsigned kEntries = 1024;
constexpr unsigned kUpperShift = 22;
constexpr uint64_t kLargeBytes = uint64_t{1} << kUpperShift;
constexpr uint32_t kTable = Entry::kPresent | Entry::kWritable;
constexpr uint32_t kMemory =
    kTable | Entry::kAccessed | Entry::kDirty | Entry::kGlobal | Entry::kLarge;

struct alignas(4096) Table {
  uint32_t entry[kEntries];
};

constinit Table last_table{};  // slots of kmap_local, and devices

constexpr unsigned index_of(uintptr_t address) { return address >> kUpperShift; }

static_assert(index_of(kKmapLocalStart) == kEntries - 1 && index_of(kDeviceWindow) == kEntries - 1);

}  // namespace

const char* build_kernel_map(BootInfo& info) {
  for (const BootRange& range : info.ranges()) {
    if (range.type != BootRange::kUsable) continue;
    for (uint64_t at = round_down(range.start, kLargeBytes);
         at < range.end() && at < Arch::kLowmemLimit; at += kLargeBytes) {
      quarry_kernel_root[index_of(kDirectMapBase + static_cast<uintptr_t>(at))] =
          static_cast<uint32_t>(at) | kMemory;
    }
  }
  quarry_kernel_root[kEntries - 1] = static_cast<uint32_t>(image::physical(&last_table)) | kTable;
  write_cr3(static_cast<uintptr_t>(image::physical(quarry_kernel_root)));
  return nullptr;
}

VirtAddr kernel_map_root() {
  return VirtAddr(kDirectMapBase + static_cast<uintptr_t>(image::physical(quarry_kernel_root)));
}

Entry* device_entries() {
  return reinterpret_cast<Entry*>(last_table.entry) + (kDeviceWindow >> kPageShift) % kEntries;
}

}  // namespace quarry
