// SPDX-License-Identifier: MIT
#include "kernel.h"

#include <string_view>

#include "compat/bare/default_machine.h"
#include "compat/command_line.h"
#include "compat/default_system.h"
#include "harness.h"
#include "x86/exit.h"
#include "x86/kernel.h"
#include "x86/report.h"
#include "x86/smp.h"

extern "C" uint64_t quarry_boot_stack[];

namespace boot {
namespace {

using namespace quarry;

void report_check(const char* file, int line, const char* text) {
  Console out;
  format(out, "%s:%d: %s\n", file, line, text);
}

bool name_fits(std::string_view wanted, std::string_view name) {
  const bool open = !wanted.empty() && wanted.back() == '*';
  if (open) wanted.remove_suffix(1);
  return open ? name.starts_with(wanted) : name == wanted;
}

bool is_wanted(std::string_view list, const harness::Case& test) {
  while (!list.empty()) {
    std::string_view suite = take_field(list, ',');
    if (suite.ends_with(".cc") && std::string_view(test.file).ends_with(suite)) return true;
    std::string_view name = suite;
    suite = take_field(name, '.');
    if (name_fits(suite, test.suite) && (name.empty() || name_fits(name, test.name))) return true;
  }
  return false;
}

// Whether the last page of the stack is as zero as it was at first.
bool stack_suffices() {
  uint64_t used = 0;
  for (size_t i = 0; i != kPageBytes / sizeof(uint64_t); ++i) used |= quarry_boot_stack[i];
  return used == 0;
}

// False: a case failed, or none has that name.
bool run_tests(std::string_view list) {
  Console out;
  unsigned ran = 0;
  unsigned failed = 0;
  for (const harness::Case* test = harness::run.first; test != nullptr; test = test->next) {
    if (!is_wanted(list, *test)) continue;
    format(out, "[ RUN      ] %s.%s\n", test->suite, test->name);
    harness::run_case(*test, report_check);
    if (!stack_suffices()) die("the tests have used up their stack");
    const bool passed = harness::run.failures == 0;
    ++ran;
    if (!passed) ++failed;
    format(out, "%s %s.%s\n", passed ? "[       OK ]" : "[  FAILED  ]", test->suite, test->name);
  }
  format(out, "%u cases ran, %u failed (seed %u)\n", ran, failed, harness::seed());
  return ran != 0 && failed == 0;
}

// The default system has one of that name, or there would be no test to run.
void set_engine(std::string_view name) {
  FixedText<16> text;
  text.write(name.data(), name.size());
  SlabEngineKind kind{};
  find_slab_engine(text.c_str(), kind);
  harness::run.engine = static_cast<uint8_t>(kind);
}

bool run() {
  std::string_view rest = machine.boot.command_line;
  std::string_view tests;
  Parameter parameter;
  while (next_parameter(rest, parameter)) {
    if (parameter.name == "test") tests = parameter.value;
    if (parameter.name == "slab_engine") set_engine(parameter.value);
  }
  harness::run.seed = number("seed", harness::run.seed);
  harness::run.slowness = static_cast<unsigned>(number("slowness", 1));
  if (harness::run.slowness == 0) die("slowness=0: no machine is infinitely fast");
  return tests.empty() ? show_machine() : run_tests(tests);
}

}  // namespace

quarry::MemorySystem& system() { return default_system; }
quarry::BarePlatform& platform() { return default_machine; }

uint64_t number(std::string_view name, uint64_t without) {
  std::string_view rest = machine.boot.command_line;
  Parameter parameter;
  uint64_t number = without;
  while (next_parameter(rest, parameter)) {
    if (same_name(parameter.name, name) && !parse_number(parameter.value, number)) {
      die("a parameter of a test is not a number");
    }
  }
  return number;
}

void give_back_all() {
  system().vm_unmap_aliases();
  core().kmem.for_each([](KmemCache& cache) { core().kmem.shrink(cache); });
  system().rcu_barrier();
  system().drain_all();
  core().space.mapper().trim();
}

Balanced::Balanced() {
  give_back_all();
  free_pages_ = system().free_page_count();
}

Balanced::~Balanced() {
  give_back_all();
  CHECK_EQ(system().free_page_count(), free_pages_);
  FixedText<1024> problem;
  if (!system().validate(problem)) harness::fail(__FILE__, __LINE__, problem.c_str());
}

}  // namespace boot

bool quarry::is_parameter_of_program(std::string_view name) {
  return name == "test" || name == "seed";
}

bool quarry::kernel_main() {
  Console out;
  const bool passed = boot::run();
  format(out, "quarry: %s\n", passed ? "PASSED" : "FAILED");
  return passed;
}
