// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>

#include "harness.h"
#include "quarry/platform.h"

// A machine of which a test decides everything, for rooms below MemorySystem: memory map and node
// distances, simulated CPUs, a clock that stands, a log that can be read. Memory is an anonymous
// mapping that costs what is touched.
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
  ~TestPlatform() {
    if (arena_ != nullptr) munmap(arena_, arena_bytes_);
  }
  TestPlatform(const TestPlatform&) = delete;
  TestPlatform& operator=(const TestPlatform&) = delete;

  // --- Building; before the first use ---

  void add_memory(uint64_t start, uint64_t bytes, int node = 0) {
    add({quarry::PhysAddr(start), bytes, quarry::NodeId(node), quarry::MemoryType::kUsable});
  }
  void add_reserved(uint64_t start, uint64_t bytes) {
    add({quarry::PhysAddr(start), bytes, quarry::NodeId(0), quarry::MemoryType::kReserved});
  }
  void set_cpu_node(unsigned cpu, int node) { cpu_node_[cpu] = node; }
  void set_distance(unsigned a, unsigned b, unsigned distance) {
    distance_[a][b] = distance_[b][a] = distance;
  }
  // Makes memory contents undefined at boot, as on a bare machine.
  void fill_memory(unsigned char byte) {
    map_arena();
    for (unsigned i = 0; i != range_count_; ++i) {
      __builtin_memset(arena_ + range_[i].start.value(), byte, range_[i].bytes);
    }
    zeroed_ = false;
  }

  // --- Running ---

  void on_cpu(unsigned cpu) { cpu_ = quarry::CpuId(cpu); }
  void advance_clock(uint64_t ns) { clock_ns_ += ns; }
  // What a waiting request finds: called by wait_for_memory(), false: waiting is futile.
  void on_wait(bool (*wait)(void*), void* context) {
    wait_ = wait;
    wait_context_ = context;
  }
  // Runs `body` and says what it died of; null: it did not.
  template <class Body>
  const char* death_of(Body&& body) {
    death_ = nullptr;
    armed_ = true;
    if (__builtin_setjmp(fatal_) == 0) body();
    armed_ = false;
    return death_;
  }

  // --- The log ---

  [[nodiscard]] const char* log_text() const { return log_.c_str(); }
  [[nodiscard]] bool logged(const char* text) const {
    return __builtin_strstr(log_.c_str(), text) != nullptr;
  }
  [[nodiscard]] unsigned log_count(const char* text) const {
    unsigned count = 0;
    for (const char* at = log_.c_str(); (at = __builtin_strstr(at, text)) != nullptr; ++at) ++count;
    return count;
  }
  [[nodiscard]] bool quiet() const { return log_.size() == 0; }
  void clear_log() { log_.clear(); }

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
  void discard_memory() override {}
  void set_fork_hooks(const quarry::ForkHooks&) override {}
  quarry::VirtAddr direct_map_base() const override {
    const_cast<TestPlatform*>(this)->map_arena();
    return quarry::VirtAddr(arena_);
  }
  quarry::VirtAddr vmalloc_start() const override { return quarry::VirtAddr(uintptr_t{0}); }
  quarry::VirtAddr vmalloc_end() const override { return quarry::VirtAddr(uintptr_t{0}); }
  bool has_lockless_arrays() const override { return false; }
  quarry::CpuId current_cpu() const override { return cpu_; }
  bool restart_array_operations() override { return true; }
  bool map(quarry::VirtAddr, quarry::Pfn, size_t, quarry::MapAccess) override { return false; }
  void unmap(quarry::VirtAddr, size_t) override {}
  bool wait_for_memory() override { return wait_ != nullptr && wait_(wait_context_); }
  uint64_t clock_ns() const override { return clock_ns_; }
  void log(const char* text, size_t length) override { log_.write(text, length); }
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
    death_ = message;
    if (armed_) __builtin_longjmp(fatal_, 1);
    __builtin_trap();
  }

 private:
  void add(const quarry::MemoryRange& range) {
    if (range_count_ == kMaxRanges) __builtin_trap();
    range_[range_count_++] = range;
  }
  // Memory is where the map says; whoever touches anything else faults.
  void map_arena() {
    if (arena_ != nullptr) return;
    constexpr uint64_t kPage = 4096;
    for (unsigned i = 0; i != range_count_; ++i) {
      const uint64_t end = range_[i].start.value() + range_[i].bytes;
      if (end > arena_bytes_) arena_bytes_ = (end + 2 * kPage - 1) & ~(kPage - 1);
    }
    if (arena_bytes_ == 0) arena_bytes_ = kPage;
    void* memory =
        mmap(nullptr, arena_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) __builtin_trap();
    arena_ = static_cast<unsigned char*>(memory);
    for (unsigned i = 0; i != range_count_; ++i) {
      const uint64_t first = range_[i].start.value() & ~(kPage - 1);
      const uint64_t end = range_[i].start.value() + range_[i].bytes;
      if (mprotect(arena_ + first, end - first, PROT_READ | PROT_WRITE) != 0) __builtin_trap();
    }
  }

  quarry::MemoryRange range_[kMaxRanges] = {};
  unsigned range_count_ = 0;
  unsigned cpus_;
  int cpu_node_[kMaxCpus] = {};
  unsigned distance_[kMaxNodes][kMaxNodes];
  unsigned char* arena_ = nullptr;
  size_t arena_bytes_ = 0;
  bool zeroed_ = true;
  quarry::CpuId cpu_{};
  uint64_t clock_ns_ = 1'000'000'000;
  bool (*wait_)(void*) = nullptr;
  void* wait_context_ = nullptr;
  quarry::FixedText<65536> log_;
  void* fatal_[5];
  const char* death_ = nullptr;
  bool armed_ = false;
};

}  // namespace harness
