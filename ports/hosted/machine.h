// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "arena.h"
#include "background.h"
#include "quarry/hosted_platform.h"

namespace quarry {

inline constexpr unsigned kMaxMemoryRanges = 128;

// What an open HostedPlatform owns. Fixed after open() but for what says otherwise.
struct HostedMachine {
  Arena arena;
  BackgroundThread background;
  MemoryRange ranges[kMaxMemoryRanges] = {};
  unsigned range_count = 0;
  unsigned nodes = 0;
  unsigned cpus = 0;
  bool simulated = false;
  bool lockless = false;
  HostedLog log = nullptr;
  void* log_context = nullptr;
  std::atomic<uint16_t> current_cpu{0};  // simulated machines; written by set_current_cpu()
  std::atomic<uint64_t> clock_ns{0};     // simulated machines; written by advance_clock()
  ForkHooks fork_hooks;                  // guarded by the list of machines (fork.cc)
  HostedMachine* next = nullptr;         // the same
  bool lost = false;                     // in a child that got no copy of the arena; the same
};

// The list of machines that fork() has to take care of.
void enlist_machine(HostedMachine& machine);
void delist_machine(HostedMachine& machine);
void set_machine_fork_hooks(HostedMachine& machine, const ForkHooks& hooks);

}  // namespace quarry
