// SPDX-License-Identifier: MIT
#include "x86/bare_platform.h"

#include <algorithm>

#include "port_layout.h"
#include "quarry/bits.h"
#include "x86/clock.h"
#include "x86/paging.h"
#include "x86/report.h"
#include "x86/serial.h"
#include "x86/smp.h"

namespace quarry {
namespace {

constexpr unsigned kLocalDistance = 10;   // ACPI SLIT
constexpr unsigned kRemoteDistance = 20;  // what Linux assumes of machines without a SLIT

void nothing(void*) {}

PhysRange overlap(const PhysRange& a, const PhysRange& b) {
  const uint64_t start = std::max(a.start, b.start);
  const uint64_t end = std::min(a.end(), b.end());
  return {start, end > start ? end - start : 0};
}

}  // namespace

void BarePlatform::add(PhysRange range, NodeId node, MemoryType type) {
  QUARRY_CHECK(range_count_ != kMaxRanges);
  range_[range_count_++] = {PhysAddr(range.start), range.bytes, node, type};
}

// Gives each part to the node that the firmware names, and what it does not name to the first.
void BarePlatform::add_usable(PhysRange range) {
  while (range.bytes != 0) {
    PhysRange part = range;
    NodeId node{0};
    for (unsigned i = 0; i != machine.node_range_count; ++i) {
      const NodeRange& of_node = machine.node_range[i];
      if (of_node.start <= range.start && range.start < of_node.end()) {
        part = overlap(range, of_node);
        node = of_node.node;
        break;
      }
      if (of_node.start > range.start) {
        part.bytes = std::min(part.bytes, of_node.start - range.start);
      }
    }
    add(part, node, MemoryType::kUsable);
    range = {part.end(), range.bytes - part.bytes};
  }
}

// As many nodes, of equal address ranges up to `end`, instead of what the firmware says.
void BarePlatform::fake_nodes(unsigned nodes, uint64_t end) {
  constexpr uint64_t kUnit = uint64_t{kPageBytes} << Arch::kPageblockOrder;
  const uint64_t share = round_up(div_u64(end, nodes), kUnit);
  machine.node_range_count = nodes;
  machine.node_count = nodes;
  for (unsigned n = 0; n != nodes; ++n) {
    machine.node_range[n] = {{n * share, n + 1 == nodes ? kPhysicalLimit - n * share : share},
                             NodeId(n)};
  }
  for (unsigned i = 0; i != machine.cpu_count; ++i) machine.cpu[i].node = NodeId(i % nodes);
  __builtin_memset(machine.distance, 0, sizeof(machine.distance));
}

const char* BarePlatform::open(const BareOptions& options) {
  const uint64_t end = std::min({options.ram_end, machine.boot.usable_end(), kPhysicalLimit});
  if (options.cpus != 0) machine.cpu_count = std::min(machine.cpu_count, options.cpus);
  if (options.nodes != 0) fake_nodes(options.nodes, end);
  for (const BootRange& range : machine.boot.ranges()) {
    if (range.type != BootRange::kUsable) continue;
    const uint64_t first = round_up(range.start, uint64_t{kPageBytes});
    const uint64_t last = round_down(std::min(range.end(), end), uint64_t{kPageBytes});
    if (first < last) add_usable({first, last - first});
  }
  if (range_count_ == 0) return "no usable memory";
  // A page that is taken in part is taken.
  for (const PhysRange& range : machine.boot.reservations()) {
    const uint64_t first = round_down(range.start, uint64_t{kPageBytes});
    const uint64_t last = round_up(range.end(), uint64_t{kPageBytes});
    add({first, last - first}, NodeId(0), MemoryType::kReserved);
  }
  return nullptr;
}

unsigned BarePlatform::cpu_count() const { return machine.cpu_count; }

NodeId BarePlatform::cpu_node(CpuId cpu) const { return machine.cpu[cpu.value()].node; }

unsigned BarePlatform::node_distance(NodeId from, NodeId to) const {
  const unsigned distance = machine.distance[from.value()][to.value()];
  if (distance != 0) return distance;
  return from == to ? kLocalDistance : kRemoteDistance;
}

VirtAddr BarePlatform::direct_map_base() const { return VirtAddr(kDirectMapBase); }
VirtAddr BarePlatform::vmalloc_start() const { return VirtAddr(kVmallocStart); }
VirtAddr BarePlatform::vmalloc_end() const { return VirtAddr(kVmallocEnd); }
VirtAddr BarePlatform::page_table_root() const { return kernel_map_root(); }
VirtAddr BarePlatform::kmap_start() const { return VirtAddr(kKmapStart); }
VirtAddr BarePlatform::kmap_end() const {
  constexpr uintptr_t kLocalBytes = kKmapLocalSlots * kPageBytes;
  return VirtAddr(kKmapLocalStart + machine.cpu_count * kLocalBytes);
}

CpuId BarePlatform::current_cpu() const { return CpuId(Arch::cpu_id()); }

// The interrupt of a call comes behind an operation, or sends it back to its start; a CPU that runs
// the call where it spins is in none.
bool BarePlatform::restart_array_operations() {
  quarry::run_on_all_cpus(nothing, nullptr);
  return true;
}

void BarePlatform::run_on_all_cpus(void (*call)(void* context), void* context) {
  quarry::run_on_all_cpus(call, context);
}

bool BarePlatform::wait_for_memory() {
  constexpr unsigned kTurns = 1000;
  bool others = false;
  for (unsigned i = 0; i != machine.cpu_count; ++i) {
    others = others || (static_cast<int>(i) != Arch::cpu_id() && is_busy(CpuId(i)));
  }
  for (unsigned i = 0; others && i != kTurns; ++i) Arch::relax(i);
  return others;
}

void BarePlatform::set_background_work(const BackgroundWork& work) {
  quarry::set_background_work(work);
}

void BarePlatform::wake_background() { quarry::wake_background(); }

uint64_t BarePlatform::clock_ns() const { return quarry::clock_ns(); }

void BarePlatform::log(const char* text, size_t length) {
  write_serial(text, length);
  if (log_copy_ != nullptr) log_copy_->write(text, length);
}

size_t BarePlatform::backtrace(std::span<uintptr_t> frames) const {
  return collect_backtrace(frames);
}

void BarePlatform::symbolize(uintptr_t address, std::span<char> text) const {
  describe_address(address, text);
}

void BarePlatform::fatal(const char* message) { die(message); }

}  // namespace quarry
