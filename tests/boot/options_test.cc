// SPDX-License-Identifier: MIT
// What the kernel's command line made of the machine.
#include "harness.h"
#include "kernel.h"
#include "x86/smp.h"

namespace {

using namespace quarry;

QUARRY_TEST(Options, make_the_machine) {
  CHECK_EQ(machine.cpu_count, boot::number("options.cpus", 0));
  CHECK_EQ(boot::system().node_count(), boot::number("options.nodes", 0));
  CHECK_EQ(boot::core().pages.zones().back().end, Pfn{0});  // no zone Movable
  Pfn end{0};
  for (const Zone& zone : boot::core().pages.zones()) end = std::max(end, zone.end);
  CHECK_EQ(uint64_t{end.value()} << kPageShift, boot::number("options.mib", 0) * kMiB);
}

QUARRY_TEST(Options, inject_faults) {
  void* const first = boot::system().kmalloc(100, gfp::kKernel);
  void* const second = boot::system().kmalloc(100, gfp::kKernel);
  CHECK(first == nullptr);
  CHECK(second != nullptr);
  boot::system().kfree(second);
}

}  // namespace
