// SPDX-License-Identifier: MIT
#pragma once

// The Platform that a PC makes: what boot.S, boot information and ACPI found.

#include "quarry/platform.h"
#include "quarry/text_sink.h"
#include "x86/boot_info.h"

namespace quarry {

// What of the machine is to be used.
struct BareOptions {
  uint64_t ram_end = ~uint64_t{0};  // memory from this address on is left alone (mem=)
  unsigned nodes = 0;  // split evenly into so many (numa=fake=); 0: as the firmware says
  unsigned cpus = 0;   // at most so many; 0: all
};

class BarePlatform final : public Platform {
 public:
  constexpr BarePlatform() = default;

  // Null, or why no machine can be made of that.
  [[nodiscard]] const char* open(const BareOptions& options);

  std::span<const MemoryRange> memory_ranges() const override { return {range_, range_count_}; }
  unsigned cpu_count() const override;
  NodeId cpu_node(CpuId cpu) const override;
  unsigned node_distance(NodeId from, NodeId to) const override;
  bool memory_is_zeroed() const override { return false; }
  void discard_memory() override {}
  VirtAddr direct_map_base() const override;
  VirtAddr vmalloc_start() const override;
  VirtAddr vmalloc_end() const override;
  VirtAddr page_table_root() const override;
  VirtAddr kmap_start() const override;
  VirtAddr kmap_end() const override;
  bool has_lockless_arrays() const override { return true; }

  CpuId current_cpu() const override;
  bool restart_array_operations() override;
  void run_on_all_cpus(void (*call)(void* context), void* context) override;
  void set_fork_hooks(const ForkHooks&) override {}
  bool wait_for_memory() override;
  // By CPUs that have nothing else to do; where there is one only, by the program.
  void set_background_work(const BackgroundWork& work) override;
  void wake_background() override;
  uint64_t clock_ns() const override;
  void log(const char* text, size_t length) override;
  size_t backtrace(std::span<uintptr_t> frames) const override;
  void symbolize(uintptr_t address, std::span<char> text) const override;
  [[noreturn]] void fatal(const char* message) override;

  // Where logged text goes too, besides the serial line; null: nowhere. While nothing is logged.
  void copy_log_to(TextSink* sink) { log_copy_ = sink; }

 private:
  static constexpr unsigned kMaxRanges = 128;

  void add_usable(PhysRange range);
  static void fake_nodes(unsigned nodes, uint64_t end);
  void add(PhysRange range, NodeId node, MemoryType type);

  MemoryRange range_[kMaxRanges] = {};
  unsigned range_count_ = 0;
  TextSink* log_copy_ = nullptr;
};

}  // namespace quarry
