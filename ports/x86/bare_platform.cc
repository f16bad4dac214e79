// SPDX-License-Identifier: MIT
#include "x86/bare_platform.h"

#include <algorithm>

#include "port_layout.h"
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
  uint64_t at = range.start;
  while (at < range.end()) {
    PhysRange part{at, range.end() - at};
    NodeId node{0};
    for (unsigned i = 0; i != machine.node_range_count; ++i) {
      const NodeRange& of_node = machine.node_range[i];
      if (of_node.start <= at && at < of_node.end()) {
        part = overlap(part, of_node);
        node = of_node.node;
        break;
      }
      if (of_node.start > at) part.bytes = std::min(part.bytes, of_node.start - at);
    }
    add(part, node, MemoryType::kUsable);
    at = part.end();
  }
}

const char* BarePlatform::open(const BareOptions& options) {
  const PhysRange all{0, std::min(options.ram_bytes, kPhysicalLimit)};
  for (const BootRange& range : machine.boot.ranges()) {
    if (range.type != BootRange::kUsable) continue;
    const uint64_t start = round_up(range.start, uint64_t{kPageBytes});
    const uint64_t end = round_down(range.end(), uint64_t{kPageBytes});
    if (end <= start) continue;
    const PhysRange usable = overlap({start, end - start}, all);
    if (usable.bytes != 0) add_usable(usable);
  }
  if (range_count_ == 0) return "no usable memory";
  // A page that is taken in part is taken.
  for (const PhysRange& range : machine.boot.reservations()) {
    const uint64_t start = round_down(range.start, uint64_t{kPageBytes});
    const uint64_t end = round_up(range.end(), uint64_t{kPageBytes});
    add({start, end - start}, NodeId(0), MemoryType::kReserved);
  }
  if (options.cpus < machine.cpu_count) machine.cpu_count = options.cpus;
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

// Operations run with interrupts off, so none is under way on a CPU that runs a call.
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
