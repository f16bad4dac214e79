// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include "arch/arch.h"
#include "harness.h"
#include "quarry/hosted_platform.h"
#include "support/platform_spec.h"

namespace harness {

using MachinePlatform = quarry::HostedPlatform;

[[nodiscard]] inline const char* open_platform(MachinePlatform& platform,
                                               const PlatformSpec& spec) {
  const bool opened = platform.open({.ram_bytes = spec.ram_bytes,
                                     .nodes = spec.nodes,
                                     .cpus = spec.cpus,
                                     .simulated = spec.cpu_kind == CpuKind::kSimulated,
                                     .locked_arrays = spec.cpu_kind == CpuKind::kLocked,
                                     .vmalloc_bytes = spec.vmalloc_bytes,
                                     .memory_map = spec.memory_map,
                                     .log = Log::write,
                                     .log_context = spec.log});
  return opened ? nullptr : platform.error();
}

inline void run_on(MachinePlatform& platform, unsigned cpu) {
  platform.set_current_cpu(quarry::CpuId(cpu));
}

class OneCpu {
 public:
  OneCpu() {
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &here);
    sched_setaffinity(0, sizeof(here), &here);
  }
  ~OneCpu() { sched_setaffinity(0, sizeof(before_), &before_); }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;

 private:
  cpu_set_t before_{};
};

// Of this thread; a signal handler can read it.
inline bool interrupts_off() { return quarry::Arch::context().irq_off_depth != 0; }

}  // namespace harness
