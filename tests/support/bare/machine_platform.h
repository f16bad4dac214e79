// SPDX-License-Identifier: MIT
#pragma once

#include "support/platform_spec.h"
#include "support/test_platform.h"

namespace harness {

using MachinePlatform = TestPlatform;

// Nodes begin at a section where they are large enough, so that a section is of one node.
inline void split_memory(MachinePlatform& platform, uint64_t bytes, unsigned nodes) {
  constexpr uint32_t kSectionFrames = (128 * quarry::kMiB) >> quarry::kPageShift;
  constexpr uint32_t kPageblockFrames = 1u << quarry::Arch::kPageblockOrder;
  const auto frames = static_cast<uint32_t>(bytes >> quarry::kPageShift);
  const uint32_t even = frames / nodes;
  const uint32_t share =
      quarry::round_down(even, even >= kSectionFrames ? kSectionFrames : kPageblockFrames);
  for (unsigned node = 0; node != nodes; ++node) {
    const uint32_t start = node * share;
    const uint32_t end = node + 1 == nodes ? frames : start + share;
    platform.add_memory(uint64_t{start} << quarry::kPageShift,
                        uint64_t{end - start} << quarry::kPageShift, static_cast<int>(node));
  }
}

[[nodiscard]] inline const char* open_platform(MachinePlatform& platform,
                                               const PlatformSpec& spec) {
  constexpr uint64_t kMostVmalloc = 256 * quarry::kMiB;
  unsigned nodes = spec.nodes;
  if (spec.memory_map.empty()) {
    split_memory(platform, spec.ram_bytes, nodes);
  } else {
    nodes = 1;
    for (const quarry::MemoryRange& range : spec.memory_map) {
      platform.add(range);
      const auto node = static_cast<unsigned>(range.node.value());
      if (node >= nodes) nodes = node + 1;
    }
  }
  const bool simulated = spec.cpu_kind == CpuKind::kSimulated;
  // The tests have one of the machine's CPUs, the first.
  const unsigned cpus = simulated ? spec.cpus : 1;
  platform.set_cpus(cpus, spec.cpu_kind == CpuKind::kLockless);
  for (unsigned cpu = 0; cpu != cpus; ++cpu) {
    platform.set_cpu_node(cpu, static_cast<int>(cpu % nodes));
  }
  uint64_t vmalloc_bytes = spec.vmalloc_bytes != 0 ? spec.vmalloc_bytes : 4 * spec.ram_bytes;
  if (vmalloc_bytes > kMostVmalloc) vmalloc_bytes = kMostVmalloc;
  platform.set_vmalloc_bytes(static_cast<size_t>(vmalloc_bytes));
  if (spec.log != nullptr) platform.set_log(*spec.log);
  return nullptr;
}

inline void run_on(MachinePlatform& platform, unsigned cpu) { platform.on_cpu(cpu); }

// Nothing moves the tests to another CPU.
class OneCpu {};

// Of this CPU, as it says itself.
inline bool interrupts_off() {
  unsigned long flags;
  asm volatile("pushf\n\tpop %0" : "=r"(flags));
  return (flags & 1UL << 9) == 0;
}

}  // namespace harness
