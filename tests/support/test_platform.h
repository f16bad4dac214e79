// SPDX-License-Identifier: MIT
#pragma once

#include "arch/arch.h"
#include "base/bits.h"
#include "harness.h"
#include "quarry/platform.h"
#include "support/log.h"
#include "support/sparse_memory.h"

// A machine of which a test decides everything: memory map and node distances, simulated CPUs, a
// clock that stands, a log that can be read. Memory costs what is touched. Behind it lie the
// addresses for vmalloc.
namespace harness {

class TestPlatform final : public quarry::Platform {
 public:
  static constexpr unsigned kMaxRanges = 32;
  static constexpr unsigned kMaxNodes = 8;
  static constexpr unsigned kMaxCpus = 64;

  explicit TestPlatform(unsigned cpus = 1) : cpus_(cpus) {
    for (unsigned from = 0; from != kMaxNodes; ++from) {
      for (unsigned to = 0; to != kMaxNodes; ++to) distance_[from][to] = from == to ? 10 : 20;
    }
  }
  ~TestPlatform() = default;
  TestPlatform(const TestPlatform&) = delete;
  TestPlatform& operator=(const TestPlatform&) = delete;

  // --- Building; before the first use ---

  void add_memory(uint64_t start, uint64_t bytes, int node = 0) {
    add({quarry::PhysAddr(start), bytes, quarry::NodeId(node), quarry::MemoryType::kUsable});
  }
  void add_reserved(uint64_t start, uint64_t bytes) {
    add({quarry::PhysAddr(start), bytes, quarry::NodeId(0), quarry::MemoryType::kReserved});
  }
  void add(const quarry::MemoryRange& range) {
    if (range_count_ == kMaxRanges) __builtin_trap();
    range_[range_count_++] = range;
  }
  // `lockless`: they are the machine's own, and no other than the caller's will run.
  void set_cpus(unsigned cpus, bool lockless) {
    cpus_ = cpus;
    lockless_ = lockless;
  }
  void set_cpu_node(unsigned cpu, int node) { cpu_node_[cpu] = node; }
  void set_distance(unsigned a, unsigned b, unsigned distance) {
    distance_[a][b] = distance_[b][a] = distance;
  }
  void set_vmalloc_bytes(size_t bytes) { vmalloc_bytes_ = bytes; }
  // Makes memory contents undefined at boot, as on a bare machine.
  void fill_memory(unsigned char byte) {
    make_memory();
    for (unsigned i = 0; i != range_count_; ++i) {
      __builtin_memset(memory_.base() + range_[i].start.value(), byte,
                       static_cast<size_t>(range_[i].bytes));
    }
    zeroed_ = false;
  }
  // Where the log goes instead of the platform's own.
  void set_log(Log& log) { log_ = &log; }

  // --- Running ---

  void on_cpu(unsigned cpu) { cpu_ = quarry::CpuId(cpu); }
  void advance_clock(uint64_t ns) { clock_ns_ += ns; }
  // What a waiting request finds: called by wait_for_memory(), false: waiting is futile.
  void on_wait(bool (*wait)(void*), void* context) {
    wait_ = wait;
    wait_context_ = context;
  }
  // Runs `body` and says what it died of, until the next call; null: it did not.
  template <class Body>
  const char* death_of(Body&& body) {
    death_.clear();
    armed_ = true;
    if (__builtin_setjmp(fatal_) == 0) call(body);
    armed_ = false;
    return death_.size() != 0 ? death_.c_str() : nullptr;
  }

  // --- The log ---

  [[nodiscard]] const char* log_text() const { return log_->text(); }
  [[nodiscard]] size_t log_count(const char* text) const { return log_->count(text); }
  [[nodiscard]] bool logged(const char* text) const { return log_count(text) != 0; }
  [[nodiscard]] bool quiet() const { return log_->empty(); }
  void clear_log() { log_->clear(); }

  // --- Platform ---

  std::span<const quarry::MemoryRange> memory_ranges() const override {
    return {range_, range_count_};
  }
  unsigned cpu_count() const override { return cpus_; }
  quarry::NodeId cpu_node(quarry::CpuId cpu) const override {
    return quarry::NodeId(cpu_node_[cpu.value()]);
  }
  unsigned node_distance(quarry::NodeId from, quarry::NodeId to) const override {
    return distance_[from.value()][to.value()];
  }
  bool memory_is_zeroed() const override { return zeroed_; }
  void discard_memory() override {
    if (memory_.base() != nullptr) memory_.clear();
  }
  void set_fork_hooks(const quarry::ForkHooks&) override {}
  quarry::VirtAddr direct_map_base() const override {
    make_memory();
    return quarry::VirtAddr(memory_.base());
  }
  quarry::VirtAddr vmalloc_start() const override {
    make_memory();
    return quarry::VirtAddr(memory_.base() + direct_bytes_);
  }
  quarry::VirtAddr vmalloc_end() const override { return vmalloc_start() + vmalloc_bytes_; }
  bool has_lockless_arrays() const override { return lockless_; }
  quarry::CpuId current_cpu() const override { return cpu_; }
  // No other CPU can be in the middle of one.
  bool restart_array_operations() override { return true; }
  bool map(quarry::VirtAddr at, quarry::Pfn first, size_t count,
           quarry::MapAccess access) override {
    return memory_.show(place_of(at), size_t{first.value()} << quarry::kPageShift,
                        count << quarry::kPageShift, access == quarry::MapAccess::kReadWrite);
  }
  void unmap(quarry::VirtAddr at, size_t count) override {
    memory_.hide(place_of(at), count << quarry::kPageShift);
  }
  bool wait_for_memory() override { return wait_ != nullptr && wait_(wait_context_); }
  uint64_t clock_ns() const override { return clock_ns_; }
  void log(const char* text, size_t length) override { Log::write(log_, text, length); }
  size_t backtrace(std::span<uintptr_t> frames) const override {
    if (frames.empty()) return 0;
    frames[0] = 0x1234;
    return 1;
  }
  void symbolize(uintptr_t address, std::span<char> text) const override {
    quarry::FixedText<64> name;
    quarry::format(name, "%s+0x%x", address == 0x1234 ? "test_frame" : "place", address & 0xf);
    const size_t length = name.size() < text.size() ? name.size() : text.size() - 1;
    __builtin_memcpy(text.data(), name.c_str(), length);
    text[length] = '\0';
  }
  [[noreturn]] void fatal(const char* message) override {
    format(death_, "%s", message);
    if (armed_) __builtin_longjmp(fatal_, 1);
    __builtin_trap();
  }

 private:
  // Out of line, so that what `body` changes is in memory and not in registers when it is left.
  template <class Body>
  [[gnu::noipa]] static void call(Body& body) {
    body();
  }
  size_t place_of(quarry::VirtAddr at) const {
    return at.value() - quarry::VirtAddr(memory_.base()).value();
  }
  // Memory is where the map says; whoever touches anything else faults. A direct map ends where the
  // world's own does.
  void make_memory() const {
    if (memory_.base() != nullptr) return;
    for (unsigned i = 0; i != range_count_; ++i) {
      const uint64_t end = direct_end(range_[i].start.value() + range_[i].bytes);
      if (end > direct_bytes_) direct_bytes_ = static_cast<size_t>(end);
    }
    // A direct map has whole sections, and behind it is no area at once.
    direct_bytes_ = quarry::round_up(direct_bytes_, kSectionBytes) + quarry::kPageBytes;
    bool made = memory_.reserve(direct_bytes_ + vmalloc_bytes_);
    for (unsigned i = 0; made && i != range_count_; ++i) {
      const uint64_t first =
          quarry::round_down(range_[i].start.value(), uint64_t{quarry::kPageBytes});
      const uint64_t end = direct_end(range_[i].start.value() + range_[i].bytes);
      if (first < end) {
        made = memory_.add_memory(static_cast<size_t>(first), static_cast<size_t>(end - first));
      }
    }
    if (!made) __builtin_trap();
  }
  static uint64_t direct_end(uint64_t end) {
    end = quarry::round_up(end, uint64_t{quarry::kPageBytes});
    return end < quarry::Arch::kLowmemLimit ? end : quarry::Arch::kLowmemLimit;
  }

  static constexpr size_t kSectionBytes = 128 * quarry::kMiB;

  quarry::MemoryRange range_[kMaxRanges] = {};
  unsigned range_count_ = 0;
  unsigned cpus_;
  bool lockless_ = false;
  int cpu_node_[kMaxCpus] = {};
  unsigned distance_[kMaxNodes][kMaxNodes];
  mutable SparseMemory memory_;  // made when a system first asks where it is
  mutable size_t direct_bytes_ = 0;
  size_t vmalloc_bytes_ = 0;
  bool zeroed_ = true;
  quarry::CpuId cpu_{};
  uint64_t clock_ns_ = 1'000'000'000;
  bool (*wait_)(void*) = nullptr;
  void* wait_context_ = nullptr;
  Log own_log_;
  Log* log_ = &own_log_;
  void* fatal_[5];
  quarry::FixedText<256> death_;
  bool armed_ = false;
};

}  // namespace harness
