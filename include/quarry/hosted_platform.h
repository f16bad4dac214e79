// SPDX-License-Identifier: MIT
#pragma once

// A machine made of a Linux process: RAM is an arena that the host fills page by page as it is
// touched, page tables are the host's own, CPUs are the host's or simulated.
//
//   HostedPlatform machine;
//   if (!machine.open({.ram_bytes = 256 * kMiB, .nodes = 2})) puts(machine.error());
//
// fork(): parent and child never write the same memory. The child gets a copy of the arena as it
// was when the parent called fork(), with every mapping in place. vfork(), posix_spawn() and exec
// are as without the library. A child made without the C library's fork (a raw clone, _Fork) has no
// arena: it faults where it touches it.

#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/platform.h"
#include "quarry/units.h"

namespace quarry {

struct HostedMachine;

// Text of a report, or a piece of it; not NUL-terminated. Any thread; must not allocate from the
// system that reports.
using HostedLog = void (*)(void* context, const char* text, size_t length);

struct HostedOptions {
  uint64_t ram_bytes = kGiB;  // rounded down to whole pages for each node
  unsigned nodes = 1;         // RAM is split evenly; CPUs go round the nodes
  unsigned cpus = 0;          // 0: as many as the host may ever have
  // CPUs that take turns on the calling threads, set_current_cpu() says which; a clock that stands
  // until advance_clock(). What the system does is then the same in every run.
  bool simulated = false;
  bool locked_arrays = false;  // do without restartable sequences
  uint64_t vmalloc_bytes = 0;  // 0: a size that goes well with the RAM
  // Explicit memory map, instead of ram_bytes and nodes; copied. Whole pages.
  std::span<const MemoryRange> memory_map{};
  HostedLog log = nullptr;  // null: standard error
  void* log_context = nullptr;
};

class HostedPlatform final : public Platform {
 public:
  static constexpr unsigned kMaxNodes = 32;
  static constexpr unsigned kMaxCpus = 1024;

  constexpr HostedPlatform() = default;
  ~HostedPlatform() { close(); }
  HostedPlatform(const HostedPlatform&) = delete;
  HostedPlatform& operator=(const HostedPlatform&) = delete;

  // False: error() says why in one line, and the machine is closed as before.
  [[nodiscard]] bool open(const HostedOptions& options);
  [[nodiscard]] const char* error() const { return error_; }
  // All memory of the machine is gone; no system may still run on it.
  void close();

  // Has the host back RAM from `start` on now and not when it is first touched: as many of these
  // bytes as there are, and as the host likes to. What is measured then is the allocator.
  void populate(PhysAddr start, uint64_t bytes);

  // Simulated machines only.
  void set_current_cpu(CpuId cpu);
  void advance_clock(uint64_t ns);

  std::span<const MemoryRange> memory_ranges() const override;
  unsigned cpu_count() const override;
  NodeId cpu_node(CpuId cpu) const override;
  unsigned node_distance(NodeId from, NodeId to) const override;
  bool memory_is_zeroed() const override { return true; }
  void discard_memory() override;
  VirtAddr direct_map_base() const override;
  VirtAddr vmalloc_start() const override;
  VirtAddr vmalloc_end() const override;
  bool has_lockless_arrays() const override;

  CpuId current_cpu() const override;
  bool restart_array_operations() override;
  bool map(VirtAddr at, Pfn first, size_t count, MapAccess access) override;
  void unmap(VirtAddr at, size_t count) override;
  void set_fork_hooks(const ForkHooks& hooks) override;
  // By a thread that starts when it is first needed; in simulated machines the program does it.
  void set_background_work(const BackgroundWork& work) override;
  void wake_background() override;
  bool wait_for_memory() override;
  uint64_t clock_ns() const override;
  int task_id() const override;
  void log(const char* text, size_t length) override;
  size_t backtrace(std::span<uintptr_t> frames) const override;
  size_t earlier_backtrace(uintptr_t place, uintptr_t stack, std::span<uintptr_t> frames,
                           bool& exact) const override;
  void symbolize(uintptr_t address, std::span<char> text) const override;
  [[noreturn]] void fatal(const char* message) override;

 private:
  HostedMachine* machine_ = nullptr;
  const char* error_ = "";
};

}  // namespace quarry
