// SPDX-License-Identifier: MIT
#pragma once

// The one machine that a kernel runs on, as its boot code finds it. Written while one CPU runs and
// only read afterwards, except for what says otherwise.

#include <atomic>
#include <cstdint>

#include "arch/arch.h"
#include "quarry/platform.h"
#include "x86/boot_info.h"

namespace quarry {

inline constexpr unsigned kMaxBareCpus = 32;
inline constexpr unsigned kMaxBareNodes = 32;

// What a page fault said.
struct Fault {
  static constexpr uint32_t kPresent = 1;  // a permission was missing, not the page
  static constexpr uint32_t kWrite = 2;
  uintptr_t address;
  uint32_t error;
};

using CpuJob = void (*)(void* context);

// One CPU. `block` is what its segment register points to.
struct alignas(64) BareCpu {
  CpuBlock block;
  uint32_t apic_id;
  NodeId node;
  uintptr_t stack_start;
  uintptr_t stack_end;
  Fault last_fault;  // of a probe; its own CPU's
  std::atomic<bool> online;
  // A cross call to be run; set by the caller, cleared by the CPU when it has run it.
  std::atomic<bool> called;
  // What run_on() gave it to do; null when it has nothing to do.
  std::atomic<CpuJob> job;
  void* job_context;  // guarded by `job`
};

// Memory of a node, as ACPI's SRAT has it.
struct NodeRange : PhysRange {
  NodeId node;
};

struct BareMachine {
  static constexpr unsigned kMaxNodeRanges = 32;

  BootInfo boot;

  BareCpu cpu[kMaxBareCpus];
  unsigned cpu_count;  // found, started later; cpu[0] is the one that boots
  uintptr_t apic;      // address of the local APIC's registers

  NodeRange node_range[kMaxNodeRanges];
  unsigned node_range_count;
  unsigned node_count;
  uint8_t distance[kMaxBareNodes][kMaxBareNodes];  // 0: the tables do not say

  uint32_t tsc_per_ms;
  uint32_t apic_ticks_per_second;
};

extern constinit BareMachine machine;

inline BareCpu& this_cpu() {
  static_assert(offsetof(BareCpu, block) == 0);
  return machine.cpu[Arch::cpu_id()];
}

}  // namespace quarry
