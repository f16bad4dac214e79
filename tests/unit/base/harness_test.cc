// SPDX-License-Identifier: MIT
// The checks themselves: what they refuse, what they say, and where they stop.
#include "harness.h"

#include "base/units.h"

namespace {

// What the last failed check of an inner case said.
quarry::FixedText<256> said;
bool went_on = false;

void keep(const char* /*file*/, int /*line*/, const char* text) {
  said.clear();
  format(said, "%s", text);
}

// Runs a body that fails on purpose and returns how many checks failed.
size_t failures_of(void (*body)()) {
  const harness::Run outer = harness::run;
  const harness::Case inner{"Inner", "case", __FILE__, __LINE__, body};
  said.clear();
  went_on = false;
  harness::run_case(inner, keep);
  const size_t failures = harness::run.failures;
  harness::run = outer;
  return failures;
}

QUARRY_TEST(Harness, check_goes_on_and_require_does_not) {
  CHECK_EQ(failures_of([] {
             CHECK(1 > 2);
             went_on = true;
           }),
           1);
  CHECK(went_on);
  CHECK_TEXT(said.c_str(), "false: 1 > 2");
  CHECK_EQ(failures_of([] {
             REQUIRE(1 > 2);
             went_on = true;
           }),
           1);
  CHECK(!went_on);
  CHECK_EQ(failures_of([] {
             REQUIRE_EQ(1, 2);
             went_on = true;
           }),
           1);
  CHECK(!went_on);
}

QUARRY_TEST(Harness, check_eq_compares_numbers_and_shows_them) {
  CHECK_EQ(failures_of([] { CHECK_EQ(-1, 0xffffffffU); }), 1);
  CHECK_TEXT(said.c_str(), "not equal: -1, 0xffffffffU: -1, 4294967295 (0xffffffff)");
  CHECK_EQ(failures_of([] { CHECK_EQ(quarry::Pfn{3}, quarry::Pfn{16}); }), 1);
  CHECK_TEXT(said.c_str(), "not equal: quarry::Pfn{3}, quarry::Pfn{16}: 3 (0x3), 16 (0x10)");
  CHECK_EQ(failures_of([] { CHECK_EQ(uint8_t{3}, 3L); }), 0);
}

QUARRY_TEST(Harness, check_text_shows_the_line_that_differs) {
  CHECK_EQ(failures_of([] { CHECK_TEXT("a\nbcd\ne\n", "a\nbxd\ne\n"); }), 1);
  CHECK_TEXT(said.c_str(), "texts differ at character 3; got and wanted:\n  \"bcd\"\n  \"bxd\"");
  CHECK_EQ(failures_of([] { CHECK_TEXT("a\n", "a\nb"); }), 1);
  CHECK_EQ(failures_of([] { CHECK_TEXT("a\nb", "a\nb"); }), 0);
}

}  // namespace
