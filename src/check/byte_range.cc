// SPDX-License-Identifier: MIT
#include "check/byte_range.h"

namespace quarry {

namespace {

constexpr size_t kBytesInLine = 16;

bool is_printable(unsigned char c) { return c >= ' ' && c <= '~'; }

}  // namespace

Bytes bytes_other_than(Bytes bytes, uint8_t value) {
  while (!bytes.empty() && bytes.front() == value) bytes = bytes.subspan(1);
  while (!bytes.empty() && bytes.back() == value) bytes = bytes.first(bytes.size() - 1);
  return bytes;
}

void dump_bytes(TextSink& out, const char* name, const void* begin, size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(begin);
  for (const unsigned char* const end = at + bytes; at != end;) {
    const auto left = static_cast<size_t>(end - at);
    const size_t count = left < kBytesInLine ? left : kBytesInLine;
    format(out, "%s%p: ", name, static_cast<const void*>(at));
    for (size_t i = 0; i != kBytesInLine; ++i) {
      i < count ? format(out, "%02x ", at[i]) : format(out, "   ");
    }
    format(out, " ");
    for (size_t i = 0; i != count; ++i) {
      format(out, "%c", is_printable(at[i]) ? at[i] : static_cast<unsigned char>('.'));
    }
    format(out, "\n");
    at += count;
  }
}

}  // namespace quarry
