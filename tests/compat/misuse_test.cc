// SPDX-License-Identifier: MIT
// What a program that misuses the kernel's C API gets to read, and that it lives on.
#include <gtest/gtest.h>

#include <csignal>

#include "probe_run.h"

namespace {

using testing::internal::RE;

constexpr const char* kSleeping = "BUG: sleeping function called from invalid context at ";

TEST(Misuse, sleeping_under_a_lock_is_reported_once_for_a_place) {
  const ProbeRun run = run_probe("sleep_under_lock");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, kSleeping), 1) << run.err;
  // Both places: of the allocation and of the lock.
  EXPECT_EQ(count(run.err, std::string(kSleeping) + "sleep_under_lock"), 1) << run.err;
  EXPECT_EQ(count(run.err, "Preemption disabled at:\n[<"), 1) << run.err;
  EXPECT_GE(count(run.err, " sleep_under_lock+0x"), 3) << run.err;
  EXPECT_EQ(count(run.err, "in_atomic(): 1, irqs_disabled(): 0"), 1) << run.err;
}

// The lines of a report between the two headings, and behind the second.
struct Backtraces {
  std::string section;
  std::string allocation;
};

Backtraces backtraces(const std::string& report) {
  const size_t section = report.find("Preemption disabled at:\n");
  const size_t allocation = report.find("Call Trace:\n", section);
  if (allocation == std::string::npos) return {};
  return {report.substr(section, allocation - section), report.substr(allocation)};
}

TEST(Misuse, sleeping_is_reported_with_both_backtraces) {
  const ProbeRun run = run_probe("sleep_below_lock");
  EXPECT_TRUE(run.clean());
  const auto [section, allocation] = backtraces(run.err);
  EXPECT_TRUE(RE::PartialMatch(section, RE("at:\n\\[<[0-9a-f]{16}>\\] sleep_in_section\\+[^\n]+\n"
                                           "\\[<[0-9a-f]{16}>\\] sleep_below_lock\\+")))
      << section;
  EXPECT_EQ(count(section, "] main+"), 1) << section;
  EXPECT_EQ(count(section, "?"), 0) << section;
  EXPECT_EQ(count(section, "sleep_here"), 0) << section;
  EXPECT_TRUE(RE::PartialMatch(
      allocation, RE(" sleep_here\\+[^\n]+\n sleep_in_section\\+[^\n]+\n sleep_below_lock\\+")))
      << allocation;
}

TEST(Misuse, what_is_uncertain_about_the_section_is_marked) {
  const ProbeRun run = run_probe("sleep_after_lock");
  EXPECT_TRUE(run.clean());
  const std::string section = backtraces(run.err).section;
  EXPECT_EQ(count(section, ">] take_lock+"), 1) << section;
  EXPECT_EQ(count(section, ">] ? sleep_after_lock+"), 1) << section;
  EXPECT_EQ(count(section, ">] ? main+"), 1) << section;
}

TEST(Misuse, each_place_is_reported) {
  const ProbeRun run = run_probe("sleep_in_two_places");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, kSleeping), 2) << run.err;
}

TEST(Misuse, pages_are_reported_by_place_too) {
  const ProbeRun run = run_probe("page_sleep_under_lock");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, std::string(kSleeping) + "page_sleep_under_lock"), 2) << run.err;
}

TEST(Misuse, atomic_requests_may_be_made_anywhere) {
  const ProbeRun run = run_probe("atomic_under_lock");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, "BUG"), 0) << run.err;
}

TEST(Misuse, might_sleep_is_reported_in_interrupts_only) {
  const ProbeRun run = run_probe("might_sleep_in_interrupt");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, std::string(kSleeping) + "might_sleep_in_interrupt"), 1) << run.err;
  EXPECT_EQ(count(run.err, "hardirqs: 1"), 1) << run.err;
}

TEST(Misuse, kmap_may_sleep_and_kmap_local_page_not) {
  const ProbeRun run = run_probe("kmap_under_lock");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, kSleeping), 1) << run.err;
  EXPECT_EQ(count(run.err, std::string(kSleeping) + "kmap_under_lock"), 1) << run.err;
}

TEST(Misuse, freeing_garbage_is_reported_with_the_pointer) {
  const ProbeRun run = run_probe("free_garbage");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, "object pointer: 0x"), 2) << run.err;
  EXPECT_EQ(count(run.err, "0000123456789000"), 1) << run.err;
}

TEST(Misuse, freeing_twice_is_reported_with_the_pointer) {
  const ProbeRun run = run_probe("free_twice");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, "BUG kmalloc-64 (Not tainted): Object already free"), 1) << run.err;
  const std::string pointer = run.out.substr(2, run.out.find('\n') - 2);
  EXPECT_GE(count(run.err, pointer), 1) << run.err << pointer;
}

TEST(Misuse, vfree_of_no_area_is_reported) {
  const ProbeRun run = run_probe("free_vmalloc_garbage");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, "Trying to vfree() nonexistent vm area"), 2) << run.err;
  EXPECT_EQ(count(run.err, " at free_vmalloc_garbage+0x"), 2) << run.err;
}

TEST(Misuse, the_wrong_cache_is_named) {
  const ProbeRun run = run_probe("wrong_cache");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, "Wrong slab cache. probe_b but object is from probe_a"), 1) << run.err;
  EXPECT_EQ(count(run.err, "still has objects"), 0) << run.err;
}

TEST(Misuse, leftovers_keep_their_cache) {
  const ProbeRun run = run_probe("leftovers");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err,
                  "kmem_cache_destroy probe_leaky: Slab cache still has objects when called "
                  "from leftovers+0x"),
            1)
      << run.err;
}

TEST(Misuse, impossible_orders_are_refused_with_a_warning) {
  const ProbeRun run = run_probe("huge_order");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(run.out, "1\n1\n");
  EXPECT_EQ(count(run.err, "WARNING: CPU: "), 2) << run.err;
}

TEST(Misuse, guard_pages_and_freed_areas_fault) {
  EXPECT_EQ(run_probe("fault_guard").signal, SIGSEGV);
  EXPECT_EQ(run_probe("fault_freed").signal, SIGSEGV);
}

TEST(Misuse, warnings_have_the_kernels_form) {
  const ProbeRun run = run_probe("warnings");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err, "------------[ cut here ]------------\n"), 2) << run.err;
  EXPECT_EQ(count(run.err, "---[ end trace 0000000000000000 ]---\n"), 2) << run.err;
  EXPECT_EQ(count(run.err, "once: 0\nWARNING: CPU: "), 1) << run.err;
  EXPECT_TRUE(RE::PartialMatch(run.err, RE("WARNING: CPU: [0-9]+ PID: [0-9]+ at .*probe.c:")))
      << run.err;
  EXPECT_EQ(count(run.err, "\nwarned\n"), 1) << run.err;
  EXPECT_EQ(count(run.err, "and again\n"), 2) << run.err;
  EXPECT_EQ(count(run.err, "a line\n"), 1) << run.err;
  EXPECT_EQ(count(run.err, "never"), 0) << run.err;
  EXPECT_EQ(count(run.err, "quiet by default"), 0) << run.err;
}

TEST(Misuse, bug_and_panic_stop_the_program) {
  const ProbeRun bug = run_probe("bug");
  EXPECT_EQ(bug.signal, SIGABRT);
  EXPECT_EQ(count(bug.err, "kernel BUG at "), 1) << bug.err;
  const ProbeRun panic = run_probe("panic");
  EXPECT_EQ(panic.signal, SIGABRT);
  EXPECT_EQ(count(panic.err, "Kernel panic - not syncing: number 1\n"), 1) << panic.err;
}

}  // namespace
