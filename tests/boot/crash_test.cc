// SPDX-License-Identifier: MIT
// What ends the kernel or makes its verdict red; each in a boot of its own, which has to fail.
#include "harness.h"
#include "kernel.h"

namespace {

QUARRY_TEST(Crash, page_fault) {
  const volatile uintptr_t nowhere = 0x123;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

QUARRY_TEST(Crash, failed_check) { QUARRY_CHECK(boot::system().node_count() == 0); }

QUARRY_TEST(Crash, failed_check_of_a_test) { CHECK_EQ(6 * 9, 42); }

QUARRY_TEST(Crash, triple_fault) {
  struct [[gnu::packed]] {
    uint16_t limit;
    uintptr_t base;
  } const no_table{};
  asm volatile("lidt %0\n\tud2" : : "m"(no_table));
}

QUARRY_TEST(Crash, endless_loop) {
  for (;;) quarry::Arch::relax(0);
}

}  // namespace
