// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "quarry/platform.h"
#include "support/log.h"

// The platform of a test's whole machine is this world's own: on the hosted port a HostedPlatform,
// on bare machines a TestPlatform inside the kernel. "machine_platform.h", of which each world has
// one, declares
//
//   MachinePlatform                                  the type, default-constructible
//   const char* open_platform(MachinePlatform&, const PlatformSpec&)    null, or why not
//   void run_on(MachinePlatform&, unsigned cpu)      which simulated CPU runs
//   OneCpu                                           the thread stays on one CPU while it lives
//   bool interrupts_off()                            whether the core has them off here
namespace harness {

enum class CpuKind : uint8_t {
  kSimulated,  // take turns on the test's thread: on_cpu() says which runs
  kLockless,   // the machine's own, arrays without locks where it can do without
  kLocked,     // the machine's own, arrays behind locks
};

struct PlatformSpec {
  // Memory is split evenly over the nodes; CPUs go round the nodes.
  uint64_t ram_bytes = 64 * quarry::kMiB;
  unsigned nodes = 1;
  unsigned cpus = 1;  // the machine's own: 0 for all that a thread may ever run on
  CpuKind cpu_kind = CpuKind::kSimulated;
  uint64_t vmalloc_bytes = 0;                         // 0: what goes well with the RAM
  std::span<const quarry::MemoryRange> memory_map{};  // instead of ram_bytes and nodes
  Log* log = nullptr;
};

}  // namespace harness
