// SPDX-License-Identifier: MIT
// What ends the kernel; each in a boot of its own, which has to fail with the report.
#include "harness.h"
#include "kernel.h"

namespace {

QUARRY_TEST(Crash, page_fault) {
  const volatile uintptr_t nowhere = 0x123;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

QUARRY_TEST(Crash, failed_check) { QUARRY_CHECK(boot::system().node_count() == 0); }

}  // namespace
