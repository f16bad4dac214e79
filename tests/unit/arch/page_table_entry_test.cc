// SPDX-License-Identifier: MIT
#include "arch/x86/page_table_entry.h"

#include "harness.h"

namespace {

using quarry::MapAccess;
using quarry::Pfn;

using Wide = quarry::X86PageTableEntry<uint64_t, uint64_t{1} << 63, 0x000f'ffff'ffff'f000>;
using Narrow = quarry::X86PageTableEntry<uint32_t, 0, 0xffff'f000>;

template <class Entry>
void check_round_trip(uint32_t most_frames) {
  CHECK(!Entry{}.present());
  for (const uint32_t frame : {1U, 0x12345U, most_frames}) {
    for (const MapAccess access : {MapAccess::kReadOnly, MapAccess::kReadWrite}) {
      const Entry entry = Entry::make(Pfn{frame}, access);
      CHECK(entry.present());
      CHECK_EQ(entry.frame(), Pfn{frame});
      CHECK_EQ(entry.writable(), access == MapAccess::kReadWrite);
    }
  }
}

QUARRY_TEST(PageTableEntry, keeps_frame_and_access) {
  check_round_trip<Wide>(0xffff'ffff);
  check_round_trip<Narrow>(0xf'ffff);
}

// Present, writable, accessed, dirty and global are bits 0, 1, 5, 6 and 8; bit 63 forbids
// execution.
QUARRY_TEST(PageTableEntry, has_the_bits_of_the_processor) {
  CHECK_EQ(Wide::make(Pfn{2}, MapAccess::kReadWrite).bits, 0x8000'0000'0000'2163U);
  CHECK_EQ(Narrow::make(Pfn{2}, MapAccess::kReadOnly).bits, 0x2161U);
}

}  // namespace
