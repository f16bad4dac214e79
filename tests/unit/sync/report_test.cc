// SPDX-License-Identifier: MIT
#include "sync/report.h"

#include "quarry/gfp.h"
#include "support/test_platform.h"
#include "sync/execution_context.h"

namespace quarry {
namespace {

using harness::TestPlatform;

QUARRY_TEST(LogText, passes_lines_on_whole) {
  TestPlatform platform;
  LogText out(platform);
  format(out, "one ");
  CHECK(platform.quiet());
  format(out, "line\nand");
  CHECK_TEXT(platform.log_text(), "one line\n");
}

QUARRY_TEST(LogText, passes_on_what_is_left_and_what_is_too_long) {
  TestPlatform platform;
  {
    LogText out(platform);
    for (int i = 0; i != 300; ++i) format(out, "x");
    CHECK(!platform.quiet());
  }
  CHECK_EQ(platform.log_text()[299], 'x');
  CHECK_EQ(platform.log_text()[300], '\0');
}

QUARRY_TEST(PlaceSet, each_place_is_new_once) {
  PlaceSet places;
  CHECK(places.insert(1));
  CHECK(places.insert(2));
  CHECK(!places.insert(1));
  CHECK(!places.insert(2));
}

QUARRY_TEST(PlaceSet, full_means_seen) {
  PlaceSet places;
  for (uintptr_t i = 1; i <= PlaceSet::kPlaces; ++i) CHECK(places.insert(i));
  CHECK(!places.insert(PlaceSet::kPlaces + 1));
  CHECK(!places.insert(PlaceSet::kPlaces));
}

QUARRY_TEST(RateLimit, a_burst_in_each_interval) {
  RateLimit limit(1000, 2);
  CHECK(limit.allow(5000));
  CHECK(limit.allow(5001));
  CHECK(!limit.allow(5999));
  CHECK(limit.allow(6000));
  CHECK(limit.allow(6001));
  CHECK(!limit.allow(6002));
}

QUARRY_TEST(Reporter, warnings_have_the_kernels_form) {
  TestPlatform platform;
  Reporter reporter;
  reporter.init(platform);
  reporter.warn(0xabcd3, "something is odd");
  CHECK_TEXT(platform.log_text(),
             "------------[ cut here ]------------\n"
             "WARNING: CPU: 0 at place+0x3\n"
             "something is odd\n"
             "Call Trace:\n <TASK>\n test_frame+0x4\n </TASK>\n"
             "---[ end trace 0000000000000000 ]---\n");
}

QUARRY_TEST(Reporter, warns_once_for_each_place_and_text) {
  TestPlatform platform;
  Reporter reporter;
  reporter.init(platform);
  for (int i = 0; i != 3; ++i) {
    reporter.warn_once(0x10, "first");
    reporter.warn_once(0x10, "other");
  }
  reporter.warn_once(0x20, "second");
  CHECK_EQ(platform.log_count("first"), 1U);
  CHECK_EQ(platform.log_count("other"), 1U);
  CHECK_EQ(platform.log_count("second"), 1U);
}

QUARRY_TEST(Reporter, sleeping_in_atomic_context_shows_both_places_once) {
  TestPlatform platform;
  Reporter reporter;
  reporter.init(platform);
  const auto kernel = uint32_t(gfp::kKernel);
  reporter.check_context(kernel, 0x3001);
  CHECK(platform.quiet());
  enter_section(&quarry_context::atomic_depth, {0x4002, 0});
  reporter.check_context(uint32_t(gfp::kAtomic), 0x3001);
  CHECK(platform.quiet());
  reporter.check_context(kernel, 0x3001);
  reporter.check_context(kernel, 0x3001);
  leave_section(&quarry_context::atomic_depth);
  FixedText<512> wanted;
  format(wanted,
         "BUG: sleeping function called from invalid context at place+0x1\n"
         "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 0, name: quarry\n"
         "softirqs: 0, hardirqs: 0, nmis: 0\n"
         "Preemption disabled at:\n"
         "[<%p>] place+0x2\n"
         "Call Trace:\n <TASK>\n test_frame+0x4\n </TASK>\n",
         reinterpret_cast<const void*>(uintptr_t{0x4002}));
  CHECK_TEXT(platform.log_text(), wanted.c_str());
}

}  // namespace
}  // namespace quarry
