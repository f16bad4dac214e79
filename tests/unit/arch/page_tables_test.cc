// SPDX-License-Identifier: MIT
#include "arch/x86/page_tables.h"

#include "harness.h"

namespace {

using quarry::MapAccess;
using quarry::Pfn;

using Wide = quarry::X86FourLevelTables::Entry;
using Narrow = quarry::X86TwoLevelTables::Entry;

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
  CHECK_EQ(Wide::make_table(Pfn{2}).bits, 0x2223U);
  CHECK_EQ(Narrow::make_table(Pfn{3}).bits, 0x3223U);
}

QUARRY_TEST(PageTableEntry, knows_the_tables_of_the_core) {
  CHECK(Wide::make_table(Pfn{0xffff'ffff}).owned());
  CHECK_EQ(Wide::make_table(Pfn{0xffff'ffff}).frame(), Pfn{0xffff'ffff});
  CHECK(!Narrow{0x2023}.owned());
}

QUARRY_TEST(PageTableEntry, is_written_whole) {
  Wide wide{0x8000'0000'1234'5163};
  wide.write(Wide::make(Pfn{0xabcd'ef01}, MapAccess::kReadOnly));
  CHECK_EQ(wide.bits, 0x8000'0abc'def0'1161U);
  wide.write({});
  CHECK_EQ(wide.bits, 0U);
}

QUARRY_TEST(PageTableEntry, counts_frames) {
  const Narrow entry = Narrow::make(Pfn{77}, MapAccess::kReadOnly).next_frame();
  CHECK_EQ(entry.bits, Narrow::make(Pfn{78}, MapAccess::kReadOnly).bits);
}

}  // namespace
