// SPDX-License-Identifier: MIT
#include "x86/paging.h"

#include "arch/arch.h"
#include "port_layout.h"
#include "x86/cpu.h"
#include "x86/image.h"
#include "x86/kernel_map.h"

extern "C" {
// The topmost table; a CPU that starts takes it up in boot.S.
extern uint64_t quarry_kernel_root[512];
}

namespace quarry {
namespace {

using Entry = Arch::TableFormat::Entry;

constexpr unsigned kEntries = 512;
constexpr unsigned kMiddleShift = 21;
constexpr unsigned kUpperShift = 30;
constexpr unsigned kTopShift = 39;
constexpr uint64_t kLargeBytes = uint64_t{1} << kMiddleShift;
constexpr uint64_t kTable = Entry::kPresent | Entry::kWritable;
constexpr uint64_t kMemory =
    kTable | Entry::kAccessed | Entry::kDirty | Entry::kGlobal | Entry::kLarge;
constexpr uint64_t kNoExecute = uint64_t{1} << 63;

struct alignas(4096) Table {
  uint64_t entry[kEntries];
};

constinit Table image_upper{};   // the last 512 GiB
constinit Table image_middle{};  // the GiB at kKernelOffset
constinit Table last_middle{};   // the last GiB
constinit Table device_table{};

constexpr unsigned index_of(uintptr_t address, unsigned shift) {
  return static_cast<unsigned>(address >> shift) % kEntries;
}

uint64_t to_table(const Table& table) { return image::physical(&table) | kTable; }

// Tables for the direct map come from one piece of memory that the first tables show.
struct Pool {
  uint64_t next;

  Table& under(uint64_t& entry) {
    if (entry == 0) {
      __builtin_memset(reinterpret_cast<void*>(kKernelOffset + next), 0, sizeof(Table));
      entry = next | kTable;
      next += sizeof(Table);
    }
    return *reinterpret_cast<Table*>(kKernelOffset + (entry & ~uint64_t{0xfff}));
  }
};

// How many tables a direct map of [0, end) takes at most.
constexpr uint64_t tables_for(uint64_t end) {
  return ((end - 1) >> kUpperShift) + 1 + ((end - 1) >> kTopShift) + 1;
}

void map_directly(Pool& pool, const BootRange& range) {
  const uint64_t end = round_up(range.end(), kLargeBytes);
  for (uint64_t at = round_down(range.start, kLargeBytes); at < end; at += kLargeBytes) {
    const uintptr_t address = kDirectMapBase + at;
    Table& upper = pool.under(quarry_kernel_root[index_of(address, kTopShift)]);
    Table& middle = pool.under(upper.entry[index_of(address, kUpperShift)]);
    middle.entry[index_of(address, kMiddleShift)] = at | kMemory | kNoExecute;
  }
}

void map_image() {
  quarry_kernel_root[index_of(kKernelOffset, kTopShift)] = to_table(image_upper);
  image_upper.entry[index_of(kKernelOffset, kUpperShift)] = to_table(image_middle);
  image_upper.entry[kEntries - 1] = to_table(last_middle);
  last_middle.entry[kEntries - 1] = to_table(device_table);
  for (unsigned i = 0; i != kEntries; ++i) image_middle.entry[i] = i * kLargeBytes | kMemory;
}

}  // namespace

const char* build_kernel_map(BootInfo& info) {
  const uint64_t end = info.usable_end();
  if (end == 0 || end > kPhysicalLimit) return "no usable memory, or more than 64 TiB";
  Pool pool{info.take(tables_for(end) * sizeof(Table), kBootMapped)};
  if (pool.next == 0) return "too little memory for page tables";
  map_image();
  for (const BootRange& range : info.ranges()) {
    if (range.type == BootRange::kUsable) map_directly(pool, range);
  }
  write_cr3(image::physical(quarry_kernel_root));
  return nullptr;
}

VirtAddr kernel_map_root() {
  return VirtAddr(kDirectMapBase + image::physical(quarry_kernel_root));
}

Entry* device_entries() { return reinterpret_cast<Entry*>(device_table.entry); }

}  // namespace quarry
