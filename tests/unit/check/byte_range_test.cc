// SPDX-License-Identifier: MIT
#include "check/byte_range.h"

#include "harness.h"
#include "support/log.h"

namespace {

using quarry::Bytes;
using quarry::bytes_other_than;

QUARRY_TEST(ByteRange, all_bytes_of_a_value_leave_nothing) {
  unsigned char bytes[8];
  quarry::fill(bytes, 0xcc);
  CHECK(bytes_other_than(bytes, 0xcc).empty());
  CHECK(bytes_other_than({}, 0xcc).empty());
}

QUARRY_TEST(ByteRange, the_part_from_the_first_to_the_last_other_byte) {
  unsigned char bytes[16];
  for (unsigned first = 0; first != 16; ++first) {
    for (unsigned last = first; last != 16; ++last) {
      quarry::fill(bytes, 0xbb);
      bytes[first] = 0;
      bytes[last] = 1;
      const Bytes found = bytes_other_than(bytes, 0xbb);
      CHECK(found.data() == bytes + first);
      CHECK_EQ(found.size(), last - first + 1);
    }
  }
}

// The lines without their addresses, which are of this run.
struct Lines final : quarry::TextSink {
  quarry::FixedText<512> text;
  size_t column = 0;
  void write(const char* from, size_t length) override {
    constexpr size_t kName = 9;
    for (size_t i = 0; i != length; ++i) {
      const bool address = column >= kName && column < kName + 2 * sizeof(void*);
      if (!address) text.write(from + i, 1);
      column = from[i] == '\n' ? 0 : column + 1;
    }
  }
};

QUARRY_TEST(ByteRange, dumped_as_the_kernel_prints_hexadecimal_dumps) {
  unsigned char bytes[16 + 8] = "Object with a...";
  for (unsigned i = 15; i != 24; ++i) bytes[i] = static_cast<unsigned char>(0x7c + i - 15);
  Lines lines;
  quarry::dump_bytes(lines, "Object   ", bytes, sizeof(bytes));
  CHECK_TEXT(lines.text.c_str(),
             "Object   : 4f 62 6a 65 63 74 20 77 69 74 68 20 61 2e 2e 7c  Object with a..|\n"
             "Object   : 7d 7e 7f 80 81 82 83 84                          }~......\n");
}

QUARRY_TEST(ByteRange, addresses_lead_the_lines) {
  unsigned char bytes[32] = {};
  quarry::FixedText<256> text;
  quarry::dump_bytes(text, "Padding  ", bytes, sizeof(bytes));
  for (unsigned line : {0U, 16U}) {
    quarry::FixedText<64> wanted;
    format(wanted, "Padding  %p: 00 ", static_cast<const void*>(bytes + line));
    CHECK(harness::find_text(text.c_str(), wanted.c_str()) != nullptr);
  }
}

}  // namespace
