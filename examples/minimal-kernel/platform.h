// SPDX-License-Identifier: MIT
#pragma once

// All that Quarry asks of this kernel, for one CPU that takes no interrupts. docs/porting.md says
// what each method becomes when there are more CPUs and interrupts.

#include <quarry/platform.h>
#include <quarry/text_sink.h>

#include "machine.h"

class KernelPlatform final : public quarry::Platform {
 public:
  // To be called once, before MemorySystem::boot().
  void take(std::span<const quarry::MemoryRange> memory) { memory_ = memory; }

  // --- The machine ---

  std::span<const quarry::MemoryRange> memory_ranges() const override { return memory_; }
  unsigned cpu_count() const override { return 1; }
  quarry::NodeId cpu_node(quarry::CpuId) const override { return quarry::NodeId(0); }
  unsigned node_distance(quarry::NodeId, quarry::NodeId) const override { return 10; }
  // Firmware and loader have written to it, so the core clears what it takes for itself.
  bool memory_is_zeroed() const override { return false; }
  void discard_memory() override {}

  // --- Addresses ---

  quarry::VirtAddr direct_map_base() const override { return quarry::VirtAddr(kDirectMap); }
  // 32 TiB in which nothing else is mapped; the root table's entries for them are the core's.
  quarry::VirtAddr vmalloc_start() const override {
    return quarry::VirtAddr(0xffff'c900'0000'0000);
  }
  quarry::VirtAddr vmalloc_end() const override { return quarry::VirtAddr(0xffff'e900'0000'0000); }
  // So the core writes the tables of vmalloc itself, and map() and unmap() are never called.
  quarry::VirtAddr page_table_root() const override {
    return quarry::VirtAddr(page_table_root_address());
  }

  // --- The CPU ---

  quarry::CpuId current_cpu() const override { return quarry::CpuId(0); }
  // Operations on per-CPU arrays are restartable sequences. Here nobody interrupts one and comes
  // back, so none is ever under way when this is called.
  bool has_lockless_arrays() const override { return true; }
  bool restart_array_operations() override { return true; }
  // There is no other thread that could free memory while this one waits.
  bool wait_for_memory() override { return false; }

  // --- Reports ---

  // Cycles, not nanoseconds: the core only limits how many reports it writes in ten seconds.
  uint64_t clock_ns() const override { return time_stamp(); }
  void log(const char* text, size_t length) override { write_serial(text, length); }
  // This kernel keeps neither frame pointers nor symbols: addresses are for addr2line.
  size_t backtrace(std::span<uintptr_t>) const override { return 0; }
  void symbolize(uintptr_t address, std::span<char> text) const override {
    quarry::FixedText<32> line;
    format(line, "%p", reinterpret_cast<void*>(address));
    size_t length = 0;
    for (; length + 1 < text.size() && length != line.size(); ++length) {
      text[length] = line.c_str()[length];
    }
    if (!text.empty()) text[length] = '\0';
  }
  [[noreturn]] void fatal(const char* message) override { die(message); }

  // Nobody copies this machine as fork() copies a process.
  void set_fork_hooks(const quarry::ForkHooks&) override {}

 private:
  std::span<const quarry::MemoryRange> memory_;
};
