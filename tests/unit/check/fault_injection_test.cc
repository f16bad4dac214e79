// SPDX-License-Identifier: MIT
#include "check/fault_injection.h"

#include "support/test_platform.h"
#include "sync/execution_context.h"

namespace quarry {
namespace {

constexpr Gfp kQuiet = gfp::kNoWait | gfp::kNoWarn;
constexpr FaultParameters kAlways{.probability = 100, .times = -1};

struct Fixture {
  harness::TestPlatform platform;
  Reporter reporter;
  FaultInjector injector;

  explicit Fixture(const FaultParameters& parameters, uint64_t seed = 1) {
    reporter.init(platform);
    injector.init(reporter, "failslab", seed);
    injector.set_parameters(parameters);
  }
  // Which of the next attempts fail, the first in bit 0.
  uint32_t attempts(unsigned count, size_t bytes = 8) {
    uint32_t failed = 0;
    for (unsigned i = 0; i != count; ++i) {
      if (injector.should_fail_slab(kQuiet, bytes)) failed |= 1U << i;
    }
    return failed;
  }
};

void set_fail_nth(uint32_t n) {
  Arch::context().fail_nth = n;
  update_forbidden_gfp(Arch::context());
}

QUARRY_TEST(FaultInjection, probability_zero_is_off) {
  Fixture f({});
  CHECK(!f.injector.active());
  CHECK_EQ(f.attempts(32), 0U);
}

QUARRY_TEST(FaultInjection, probability_100_fails_as_often_as_times_says) {
  Fixture f({.probability = 100, .times = 3});
  CHECK(f.injector.active());
  CHECK_EQ(f.attempts(32), 0x7U);
  CHECK_EQ(f.injector.parameters().times, 0);
}

QUARRY_TEST(FaultInjection, interval_counts_attempts) {
  Fixture f({.interval = 4, .probability = 100, .times = -1});
  CHECK_EQ(f.attempts(12), 0x888U);
}

QUARRY_TEST(FaultInjection, space_is_used_up_first) {
  Fixture f({.probability = 100, .space = 100, .times = -1});
  // 100, 60 and then 20, which is not more than 40.
  CHECK_EQ(f.attempts(4, 40), 0xcU);
}

QUARRY_TEST(FaultInjection, dice_are_fair_enough_and_repeatable) {
  Fixture a({.probability = 25, .times = -1}, 7);
  Fixture b({.probability = 25, .times = -1}, 7);
  unsigned failed = 0;
  for (int i = 0; i != 4000; ++i) {
    const bool one = a.injector.should_fail_slab(kQuiet, 8);
    CHECK_EQ(one, b.injector.should_fail_slab(kQuiet, 8));
    failed += one;
  }
  CHECK(failed > 850 && failed < 1150);
}

QUARRY_TEST(FaultInjection, filters_of_slab_attempts) {
  Fixture f(kAlways);
  CHECK(!f.injector.should_fail_slab(gfp::kKernel | gfp::kNoWarn, 8));
  CHECK(!f.injector.should_fail_slab(kQuiet | gfp::kNoFail, 8));
  CHECK(f.injector.should_fail_slab(kQuiet, 8));
  f.injector.set_parameters({.probability = 100, .times = -1, .ignore_gfp_wait = false});
  CHECK(f.injector.should_fail_slab(gfp::kKernel | gfp::kNoWarn, 8));
  CHECK(!f.injector.should_fail_slab(gfp::kKernel | gfp::kNoFail, 8));
}

QUARRY_TEST(FaultInjection, filters_of_page_attempts) {
  Fixture f(kAlways);
  CHECK(!f.injector.should_fail_page(kQuiet, Order(0)));
  CHECK(f.injector.should_fail_page(kQuiet, Order(1)));
  CHECK(!f.injector.should_fail_page(kQuiet | gfp::kHighmemBit, Order(1)));
  f.injector.set_parameters(
      {.probability = 100, .times = -1, .ignore_gfp_highmem = false, .min_order = 0});
  CHECK(f.injector.should_fail_page(kQuiet, Order(0)));
  CHECK(f.injector.should_fail_page(kQuiet | gfp::kHighmemBit, Order(0)));
}

QUARRY_TEST(FaultInjection, fail_nth_fails_exactly_the_nth_attempt) {
  for (uint32_t n = 1; n != 20; ++n) {
    Fixture f({});
    set_fail_nth(n);
    CHECK_EQ(f.attempts(24), 1U << (n - 1));
    CHECK_EQ(Arch::context().fail_nth, 0U);
    CHECK_EQ(Arch::context().forbidden_gfp, 0U);
  }
}

QUARRY_TEST(FaultInjection, fail_nth_goes_before_the_dice) {
  Fixture f(kAlways);
  set_fail_nth(3);
  CHECK_EQ(f.attempts(4), 0xcU);
}

QUARRY_TEST(FaultInjection, fail_nth_is_not_counted_in_interrupts_nor_for_filtered_attempts) {
  Fixture f({});
  set_fail_nth(1);
  {
    ContextGuard interrupt(&quarry_context::hardirq_depth);
    CHECK_EQ(f.attempts(3), 0U);
  }
  CHECK(!f.injector.should_fail_slab(gfp::kKernel, 8));
  CHECK_EQ(f.attempts(1), 1U);
}

QUARRY_TEST(FaultInjection, task_filter_spares_other_tasks_and_interrupts) {
  Fixture f({.probability = 100, .times = -1, .task_filter = true});
  CHECK_EQ(f.attempts(3), 0U);
  Arch::context().make_it_fail = 1;
  CHECK_EQ(f.attempts(3), 7U);
  {
    ContextGuard interrupt(&quarry_context::softirq_depth);
    CHECK_EQ(f.attempts(3), 0U);
  }
  Arch::context().make_it_fail = 0;
}

QUARRY_TEST(FaultInjection, cache_filter_spares_all_but_chosen_caches) {
  Fixture f({.probability = 100, .times = -1, .cache_filter = true});
  CHECK(!f.injector.should_fail_slab(kQuiet, 8));
  CHECK(f.injector.should_fail_slab(kQuiet, 8, true));
  CHECK(f.injector.should_fail_page(kQuiet, Order(1)));
}

QUARRY_TEST(FaultInjection, the_nth_failure_is_one_of_times) {
  Fixture f({.probability = 100, .times = 3});
  set_fail_nth(1);
  CHECK_EQ(f.attempts(1), 1U);
  CHECK_EQ(f.injector.parameters().times, 2);
}

QUARRY_TEST(FaultInjection, interval_goes_on_counting_when_other_attributes_change) {
  FaultParameters parameters{.interval = 4, .probability = 100, .times = -1};
  Fixture f(parameters);
  CHECK_EQ(f.attempts(2), 0U);
  parameters.verbose = 0;
  f.injector.set_parameters(parameters);
  CHECK_EQ(f.attempts(2), 2U);
}

QUARRY_TEST(FaultInjection, verbose_says_how_much_is_reported) {
  constexpr const char* kText =
      "FAULT_INJECTION: forcing a failure.\n"
      "name failslab, interval 1, probability 100, space 0, times 1\n";
  Fixture f({.probability = 100, .verbose = 1});
  CHECK(f.injector.should_fail_slab(gfp::kNoWait, 8));
  CHECK_TEXT(f.platform.log_text(), kText);
  f.platform.clear_log();
  f.injector.set_parameters({.probability = 100, .verbose = 0});
  CHECK(f.injector.should_fail_slab(gfp::kNoWait, 8));
  CHECK(f.platform.quiet());
}

QUARRY_TEST(FaultInjection, reports_are_limited_if_so_wanted) {
  Fixture f({.probability = 100,
             .times = -1,
             .verbose = 1,
             .verbose_ratelimit_interval_ms = 1000,
             .verbose_ratelimit_burst = 3});
  for (int i = 0; i != 10; ++i) CHECK(f.injector.should_fail_slab(gfp::kNoWait, 8));
  CHECK_EQ(f.platform.log_count("forcing a failure"), 3U);
  f.platform.advance_clock(1'000'000'000);
  CHECK(f.injector.should_fail_slab(gfp::kNoWait, 8));
  CHECK_EQ(f.platform.log_count("forcing a failure"), 4U);
}

QUARRY_TEST(FaultInjection, reports_unless_asked_not_to) {
  Fixture f({.interval = 1, .probability = 100, .space = 0, .times = -1});
  f.injector.should_fail_slab(kQuiet, 8);
  CHECK(f.platform.quiet());
  f.injector.should_fail_slab(gfp::kNoWait, 8);
  CHECK_TEXT(f.platform.log_text(),
             "FAULT_INJECTION: forcing a failure.\n"
             "name failslab, interval 1, probability 100, space 0, times -1\n"
             "Call Trace:\n <TASK>\n test_frame+0x4\n </TASK>\n");
}

}  // namespace
}  // namespace quarry
