// SPDX-License-Identifier: MIT
#include "base/text_sink.h"

#include "base/units.h"
#include "harness.h"

namespace {

using quarry::Arg;
using quarry::FixedText;
using quarry::format;
using quarry::format_args;
using quarry::pattern_fits;

template <typename... Kinds>
constexpr bool fits(const char* pattern, Kinds... kinds) {
  const Arg::Kind list[sizeof...(Kinds) + 1] = {kinds...};
  return pattern_fits(pattern, std::span(list, sizeof...(Kinds)));
}
constexpr auto kSigned = Arg::Kind::kSigned;
constexpr auto kText = Arg::Kind::kText;
constexpr auto kPointer = Arg::Kind::kPointer;

static_assert(fits("plain 100%%") && fits("%d %s %p", kSigned, kText, kPointer));
static_assert(fits("%-17s %6lu %#llx %zu %hhd", kText, kSigned, kSigned, kSigned, kSigned));
static_assert(!fits("%d") && !fits("", kSigned) && !fits("%d", kText) && !fits("%s", kSigned));
static_assert(!fits("%s", kPointer) && !fits("%q", kSigned) && !fits("%", kSigned));
static_assert(!fits("%5", kSigned) && fits("%p", kText) && !fits("%p", kSigned));

QUARRY_TEST(TextSink, writes_the_lines_of_proc_files) {
  FixedText<256> text;
  format(text, "Node %d, zone %8s ", 0, "DMA32");
  format(text, "%6lu ", 3UL);
  format(text, "%6lu \n", 1234567UL);
  CHECK_TEXT(text.c_str(), "Node 0, zone    DMA32      3 1234567 \n");
  text.clear();
  format(text, "%-17s %6lu %6lu %6u %4u %4d", "kmalloc-64", 832UL, 896UL, 64U, 64U, 1);
  format(text, " : tunables %4u : %s\n", 0U, "slabdata");
  CHECK_TEXT(text.c_str(),
             "kmalloc-64           832    896     64   64    1 : tunables    0 : slabdata\n");
  text.clear();
  format(text, "0x%016lx-0x%08x mode:%#x(%c)\n", 0xffffc90000000000U, 0xbeefU, 0xcc0, 'K');
  CHECK_TEXT(text.c_str(), "0xffffc90000000000-0x0000beef mode:0xcc0(K)\n");
}

QUARRY_TEST(TextSink, a_pointer_has_all_its_digits) {
  FixedText<64> text;
  const auto* pointer = reinterpret_cast<const int*>(uintptr_t{0xabc0});
  format(text, "0x%p", pointer);
  CHECK_EQ(text.size(), 2 + 2 * sizeof(void*));
  CHECK_TEXT(text.c_str() + text.size() - 5, "0abc0");
  text.clear();
  format(text, "%p", nullptr);
  CHECK_TEXT(text.c_str() + text.size() - 4, "0000");
}

QUARRY_TEST(TextSink, follows_the_kernel_where_libc_differs) {
  FixedText<64> text;
  format(text, "%#x %s %#06x", 0U, static_cast<const char*>(nullptr), 0xabU);
  CHECK_TEXT(text.c_str(), "0x0 (null) 0x00ab");
}

QUARRY_TEST(TextSink, an_argument_keeps_its_own_width) {
  FixedText<128> text;
  format(text, "%u %u %u %u", int8_t{-1}, int16_t{-1}, -1, int64_t{-1});
  CHECK_TEXT(text.c_str(), "255 65535 4294967295 18446744073709551615");
  text.clear();
  format(text, "%d %d %d", uint8_t{0xff}, 0xffffffffU, ~uint64_t{0});
  CHECK_TEXT(text.c_str(), "-1 -1 -1");
  text.clear();
  format(text, "%u %x %d", quarry::Pfn{4096}, quarry::PhysAddr{0x1000}, quarry::kNoNode);
  CHECK_TEXT(text.c_str(), "4096 1000 -1");
  text.clear();
  format(text, "%d %u", true, false);
  CHECK_TEXT(text.c_str(), "1 0");
}

QUARRY_TEST(TextSink, a_pattern_from_elsewhere_cannot_break_anything) {
  FixedText<64> text;
  const Arg args[] = {Arg(7), Arg("seven")};
  format_args(text, "%s|%d|%d|%", args);
  CHECK_TEXT(text.c_str(), "%?|%?|%?|%?");
  text.clear();
  format_args(text, "%d %s %%", args);
  CHECK_TEXT(text.c_str(), "7 seven %");
}

QUARRY_TEST(TextSink, fixed_text_keeps_what_fits) {
  FixedText<8> text;
  CHECK_TEXT(text.c_str(), "");
  format(text, "%s", "1234567");
  CHECK_EQ(text.size(), 7);
  CHECK(!text.truncated());
  format(text, "8");
  CHECK(text.truncated());
  CHECK_TEXT(text.c_str(), "1234567");
  text.clear();
  CHECK(!text.truncated());
  CHECK_EQ(text.size(), 0);
  format(text, "%s", "123456789");
  CHECK_TEXT(text.c_str(), "1234567");
  CHECK(text.truncated());
}

}  // namespace
