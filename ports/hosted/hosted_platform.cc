// SPDX-License-Identifier: MIT
#include "quarry/hosted_platform.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <time.h>
#include <unistd.h>

#include <new>

#include "arch/arch.h"
#include "host_cpus.h"
#include "host_memory.h"
#include "machine.h"
#include "report.h"

namespace quarry {
namespace {

constexpr uint64_t kMaxRamBytes = uint64_t{MappingRecord::kMaxFrames} << kPageShift;
constexpr uint64_t kLeastVmallocBytes = 32 * kGiB;
constexpr uint32_t kSectionFrames = (128 * kMiB) >> kPageShift;
constexpr uint32_t kPageblockFrames = uint32_t{1} << Arch::kPageblockOrder;
constexpr unsigned kLocalDistance = 10;   // ACPI SLIT
constexpr unsigned kRemoteDistance = 20;  // what Linux assumes of machines without a SLIT

const char* copy_memory_map(HostedMachine& machine, std::span<const MemoryRange> map) {
  if (map.size() > kMaxMemoryRanges) return "more than 128 memory ranges";
  bool usable = false;
  for (const MemoryRange& range : map) {
    const uint64_t start = range.start.value();
    if (!is_aligned(start | range.bytes, kPageBytes)) return "a memory range is not of whole pages";
    if (start > kMaxRamBytes || range.bytes > kMaxRamBytes - start) {
      return "a memory range reaches beyond 4 TiB";
    }
    const auto node = static_cast<unsigned>(range.node.value());  // kNoNode is huge
    if (node >= HostedPlatform::kMaxNodes) return "a memory range is of no node from 0 to 31";
    if (node >= machine.nodes) machine.nodes = node + 1;
    usable = usable || (range.type == MemoryType::kUsable && range.bytes != 0);
    machine.ranges[machine.range_count++] = range;
  }
  return usable ? nullptr : "the memory map has no usable memory";
}

// Nodes begin at a section where they are large enough, so that a section is of one node.
const char* split_ram(HostedMachine& machine, uint64_t ram_bytes, unsigned nodes) {
  if (nodes < 1 || nodes > HostedPlatform::kMaxNodes) return "not 1 to 32 nodes";
  if (ram_bytes > kMaxRamBytes) return "more than 4 TiB of RAM";
  const auto frames = static_cast<uint32_t>(ram_bytes >> kPageShift);
  const uint32_t even = frames / nodes;
  const uint32_t unit = even >= kSectionFrames ? kSectionFrames : kPageblockFrames;
  const uint32_t share = nodes == 1 ? frames : round_down(even, unit);
  if (frames == 0) return "no RAM";
  if (nodes > 1 && share < kPageblockFrames) return "less than 2 MiB of RAM for a node";
  for (unsigned node = 0; node != nodes; ++node) {
    const uint64_t start = uint64_t{node} * share;
    const uint64_t end = node + 1 == nodes ? frames : start + share;
    machine.ranges[node] = {.start = PhysAddr{start << kPageShift},
                            .bytes = (end - start) << kPageShift,
                            .node = NodeId{node},
                            .type = MemoryType::kUsable};
  }
  machine.range_count = nodes;
  machine.nodes = nodes;
  return nullptr;
}

const char* choose_cpus(HostedMachine& machine, const HostedOptions& options) {
  if (options.cpus > HostedPlatform::kMaxCpus) return "more than 1024 CPUs";
  const unsigned possible = possible_host_cpus();
  machine.cpus = options.cpus;
  if (machine.cpus == 0) machine.cpus = possible != 0 ? possible : configured_host_cpus();
  if (machine.cpus > HostedPlatform::kMaxCpus) machine.cpus = HostedPlatform::kMaxCpus;
  machine.simulated = options.simulated;
  // An array for every number that the host can call a CPU by, or a thread ends up past the last.
  const bool covered = possible != 0 && machine.cpus >= possible;
  machine.lockless =
      register_host_sequences(covered && !options.simulated && !options.locked_arrays);
  return nullptr;
}

const char* set_up(HostedMachine& machine, const HostedOptions& options) {
  machine.log = options.log;
  machine.log_context = options.log_context;
  const char* wrong = options.memory_map.empty()
                          ? split_ram(machine, options.ram_bytes, options.nodes)
                          : copy_memory_map(machine, options.memory_map);
  if (wrong == nullptr) wrong = choose_cpus(machine, options);
  if (wrong != nullptr) return wrong;
  uint64_t ram_bytes = 0;
  for (const MemoryRange& range : std::span(machine.ranges, machine.range_count)) {
    ram_bytes += range.bytes;
  }
  uint64_t vmalloc_bytes = options.vmalloc_bytes;
  if (vmalloc_bytes == 0) vmalloc_bytes = 4 * ram_bytes;
  if (options.vmalloc_bytes == 0 && vmalloc_bytes < kLeastVmallocBytes) {
    vmalloc_bytes = kLeastVmallocBytes;
  }
  return machine.arena.open(std::span(machine.ranges, machine.range_count),
                            round_down(vmalloc_bytes, kPageBytes), !options.simulated);
}

}  // namespace

bool HostedPlatform::open(const HostedOptions& options) {
  QUARRY_CHECK(machine_ == nullptr);
  auto* const memory = new_host_table<HostedMachine>(1);
  if (memory == nullptr) {
    error_ = "the host refuses memory for the machine";
    return false;
  }
  machine_ = new (memory) HostedMachine();
  if (const char* const wrong = set_up(*machine_, options); wrong != nullptr) {
    error_ = wrong;
    delete_host_table(machine_, 1);
    machine_ = nullptr;
    return false;
  }
  enlist_machine(*machine_);
  return true;
}

void HostedPlatform::close() {
  if (machine_ == nullptr) return;
  delist_machine(*machine_);
  machine_->arena.close();
  delete_host_table(machine_, 1);
  machine_ = nullptr;
}

void HostedPlatform::populate(PhysAddr start, uint64_t bytes) {
  machine_->arena.populate(start.value(), bytes);
}

void HostedPlatform::discard_memory() { machine_->arena.discard(); }

void HostedPlatform::set_fork_hooks(const ForkHooks& hooks) {
  set_machine_fork_hooks(*machine_, hooks);
}

void HostedPlatform::set_background_work(const BackgroundWork& work) {
  if (!machine_->simulated) machine_->background.set_work(work);
}

void HostedPlatform::wake_background() { machine_->background.wake(); }

void HostedPlatform::set_current_cpu(CpuId cpu) {
  QUARRY_CHECK(machine_->simulated && cpu.value() < machine_->cpus);
  machine_->current_cpu.store(cpu.value(), std::memory_order_relaxed);
}

void HostedPlatform::advance_clock(uint64_t ns) {
  QUARRY_CHECK(machine_->simulated);
  machine_->clock_ns.fetch_add(ns, std::memory_order_relaxed);
}

std::span<const MemoryRange> HostedPlatform::memory_ranges() const {
  return {machine_->ranges, machine_->range_count};
}

unsigned HostedPlatform::cpu_count() const { return machine_->cpus; }

NodeId HostedPlatform::cpu_node(CpuId cpu) const { return NodeId{cpu.value() % machine_->nodes}; }

unsigned HostedPlatform::node_distance(NodeId from, NodeId to) const {
  return from == to ? kLocalDistance : kRemoteDistance;
}

VirtAddr HostedPlatform::direct_map_base() const { return VirtAddr{machine_->arena.direct_map()}; }

VirtAddr HostedPlatform::vmalloc_start() const { return VirtAddr{machine_->arena.window()}; }

VirtAddr HostedPlatform::vmalloc_end() const {
  return VirtAddr{machine_->arena.window() + machine_->arena.window_bytes()};
}

bool HostedPlatform::has_lockless_arrays() const { return machine_->lockless; }

CpuId HostedPlatform::current_cpu() const {
  if (machine_->simulated) return CpuId{machine_->current_cpu.load(std::memory_order_relaxed)};
  const int cpu = sched_getcpu();
  return CpuId{cpu < 0 ? 0 : static_cast<unsigned>(cpu) % machine_->cpus};
}

bool HostedPlatform::restart_array_operations() {
  return machine_->lockless && restart_host_sequences();
}

bool HostedPlatform::map(VirtAddr at, Pfn first, size_t count, MapAccess access) {
  return machine_->arena.map(at.value(), first, count, access);
}

void HostedPlatform::unmap(VirtAddr at, size_t count) { machine_->arena.unmap(at.value(), count); }

bool HostedPlatform::wait_for_memory() {
  if (machine_->simulated || __libc_single_threaded != 0) return false;
  constexpr timespec kShort{.tv_sec = 0, .tv_nsec = 100'000};
  nanosleep(&kShort, nullptr);
  return true;
}

uint64_t HostedPlatform::clock_ns() const {
  if (machine_->simulated) return machine_->clock_ns.load(std::memory_order_relaxed);
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

int HostedPlatform::task_id() const { return machine_->simulated ? 0 : gettid(); }

void HostedPlatform::log(const char* text, size_t length) {
  if (machine_ != nullptr && machine_->log != nullptr) {
    machine_->log(machine_->log_context, text, length);
  } else {
    report_text(text, length);
  }
}

size_t HostedPlatform::backtrace(std::span<uintptr_t> frames) const {
  return collect_backtrace(frames);
}

size_t HostedPlatform::earlier_backtrace(uintptr_t place, uintptr_t stack,
                                         std::span<uintptr_t> frames, bool& exact) const {
  return collect_earlier_backtrace(place, stack, frames, exact);
}

void HostedPlatform::symbolize(uintptr_t address, std::span<char> text) const {
  describe_address(address, text);
}

void HostedPlatform::fatal(const char* message) {
  log(message, strlen(message));
  log("\n", 1);
  report_backtrace();
  abort();
}

}  // namespace quarry
