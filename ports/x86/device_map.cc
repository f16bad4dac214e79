// SPDX-License-Identifier: MIT
#include "arch/arch.h"
#include "port_layout.h"
#include "x86/kernel_map.h"
#include "x86/paging.h"

namespace quarry {
namespace {

constinit unsigned used_pages = 0;

}  // namespace

uintptr_t map_device(uint64_t physical, uint64_t bytes) {
  using Entry = Arch::TableFormat::Entry;
  const uint64_t first = round_down(physical, uint64_t{kPageBytes});
  const auto pages = static_cast<unsigned>(
      (round_up(physical + bytes, uint64_t{kPageBytes}) - first) >> kPageShift);
  QUARRY_CHECK(pages <= kDevicePages - used_pages);
  const uintptr_t at = kDeviceWindow + uintptr_t{used_pages} * kPageBytes;
  Entry* const entry = device_entries() + used_pages;
  for (unsigned i = 0; i != pages; ++i) {
    const Pfn frame(static_cast<uint32_t>(first >> kPageShift) + i);
    entry[i].bits = Entry::make(frame, MapAccess::kReadWrite).bits | kUncached;
  }
  used_pages += pages;
  return at + static_cast<uintptr_t>(physical - first);
}

}  // namespace quarry
