// SPDX-License-Identifier: MIT
#pragma once

// The kernel that tests run in. Its command line says what it does:
//
//   test=Suite[.case][,...]   runs the named cases of tests/harness.h; "*" ends a name that may go
//                             on, test=* is all, and ends in Crash. No case of a name is a failure.
//   test=room/file_test.cc    those of a source of the core's tests, in quarry-core-tests
//   slowness=N                models do one in so many of their operations
//   slab_engine=NAME          of the system, and of machines that tests make
//   without test=             show_machine()
//   seed=N                    what random numbers of the tests start from
//   SUITE.NAME=N              a number that a case asks for with number("suite.name", default)
//
// To add a test: QUARRY_TEST(Suite, name) in a file that the CMakeLists.txt here lists (or, from
// another folder, target_sources(quarry-kernel PRIVATE ...)), and a boot that names it:
//
//   quarry_add_boot_test(NAME name KERNEL quarry-kernel COMMAND_LINE "test=Suite"
//     [QEMU option...] [TIMEOUT seconds])
//
// A case runs on the first CPU in process context with interrupts on; the others sleep and take
// jobs (x86/smp.h). What it logs goes to the serial line.

#include <string_view>

#include "quarry/memory_system.h"
#include "system/core.h"
#include "x86/bare_platform.h"
#include "x86/machine.h"
#include "x86/report.h"

namespace boot {

// The system that the kernel booted, on all of the machine.
quarry::MemorySystem& system();
quarry::BarePlatform& platform();
inline quarry::Core& core() { return quarry::Core::of(system()); }

// To the serial line.
template <typename... Args>
void print(std::type_identity_t<quarry::Pattern<Args...>> pattern, Args... args) {
  quarry::Console out;
  format(out, pattern, args...);
}

// Memory map, nodes, zones, a short exercise of every interface, and the /proc texts. False:
// something is wrong with them.
bool show_machine();

// From the kernel's command line.
uint64_t number(std::string_view name, uint64_t without);

// Makes caches, CPUs and page tables give back what they keep.
void give_back_all();

// A case that leaves nothing behind: the destructor checks that all pages are free again and all
// invariants hold.
class Balanced {
 public:
  Balanced();
  ~Balanced();
  Balanced(const Balanced&) = delete;
  Balanced& operator=(const Balanced&) = delete;

 private:
  uint64_t free_pages_;
};

// What the system reports meanwhile.
class Reports {
 public:
  Reports() { platform().copy_log_to(&text_); }
  ~Reports() { platform().copy_log_to(nullptr); }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  bool have(const char* wanted) const {
    return std::string_view(text_.c_str()).find(wanted) != std::string_view::npos;
  }

 private:
  quarry::FixedText<4096> text_;
};

}  // namespace boot
