// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "base/random.h"
#include "harness.h"
#include "map/frame_source.h"
#include "map/tlb.h"
#include "quarry/platform.h"
#include "support/log.h"

// CPUs whose translations go through page tables as real ones do, without being one: the tables lie
// in an arena that stands for physical memory, and each CPU remembers what it has looked up, tables
// on the way included, until it is told to forget it. What is remembered is used, stale or not.
//
//   Mmu<X86TwoLevelTables> mmu(4);
//   mapper.map(mmu.vmalloc_start(), Pfn{77}, 1, MapAccess::kReadOnly);
//   CHECK_EQ(mmu.read(2, mmu.vmalloc_start()), Pfn{77});   // as CPU 2 sees it
//   CHECK_EQ(mmu.write(2, mmu.vmalloc_start()), kNoPfn);   // kNoPfn: a page fault
namespace harness {

template <class Format>
class Mmu final : public quarry::Platform, public quarry::FrameSource {
 public:
  using Pfn = quarry::Pfn;
  using VirtAddr = quarry::VirtAddr;
  using Entry = typename Format::Entry;

  static constexpr unsigned kMaxCpus = 4;
  static constexpr unsigned kTableFrames = 256;  // frames 1 to 255 are for tables, 1 is the root
  static constexpr unsigned kLeafPages = 1U << Format::kIndexBits;
  static constexpr size_t kVmallocPages = size_t{16} * kLeafPages;

  // The CPU as the core sees it: the one that runs now, of the machine made last.
  struct Cpu {
    using TableFormat = Format;
    static constexpr bool kHasHighmem = true;
    static int cpu_id() { return static_cast<int>(running->cpu_); }
    static void flush_local_tlb(VirtAddr at) { running->forget(at); }
    static void flush_local_tlb() { running->forget_all(); }
  };

  explicit Mmu(unsigned cpus) : cpus_(cpus) {
    running = this;
    for (unsigned frame = kTableFrames - 1; frame != 1; --frame) free_[free_count_++] = Pfn{frame};
    for (unsigned cpu = 0; cpu != kMaxCpus; ++cpu) forget_all(cpu);
    __builtin_memset(table(Pfn{1}), 0, quarry::kPageBytes);
  }
  ~Mmu() { CHECK_EQ(taken(), 0U); }
  Mmu(const Mmu&) = delete;
  Mmu& operator=(const Mmu&) = delete;

  // --- What CPUs do ---

  void on_cpu(unsigned cpu) { cpu_ = cpu; }
  // The frame that a CPU finds at the address, or kNoPfn: it faults.
  Pfn read(unsigned cpu, VirtAddr at) { return access(cpu, at, false); }
  Pfn write(unsigned cpu, VirtAddr at) { return access(cpu, at, true); }

  unsigned calls = 0;         // to all CPUs
  unsigned page_flushes = 0;  // on any CPU
  unsigned full_flushes = 0;
  void forget_counts() { calls = page_flushes = full_flushes = 0; }

  // --- Frames for tables ---

  // Only so many more can be taken.
  void limit_frames(unsigned count) { left_ = count; }
  // What another CPU does while this one asks for a frame, the next time.
  void on_take(void (*call)(void*), void* context) {
    on_take_ = call;
    take_context_ = context;
  }
  unsigned taken() const { return kTableFrames - 2 - free_count_; }
  Pfn take() override {
    if (on_take_ != nullptr) std::exchange(on_take_, nullptr)(take_context_);
    if (left_ == 0 || free_count_ == 0) return quarry::kNoPfn;
    --left_;
    const Pfn frame = free_[--free_count_];
    __builtin_memset(table(frame), 0, quarry::kPageBytes);
    return frame;
  }
  // Whoever still walks through it then finds nonsense.
  void give_back(Pfn frame) override {
    __builtin_memset(table(frame), 0x5f, quarry::kPageBytes);
    free_[free_count_++] = frame;
  }
  Entry* table(Pfn frame) { return reinterpret_cast<Entry*>(arena_[frame.value()]); }

  // --- The platform ---

  unsigned cpu_count() const override { return cpus_; }
  VirtAddr direct_map_base() const override { return VirtAddr{arena_}; }
  VirtAddr page_table_root() const override { return VirtAddr{arena_[1]}; }
  // Where one entry of each level ends and the next begins; low enough for any format.
  VirtAddr vmalloc_start() const override { return VirtAddr{uintptr_t{0xb000'0000}}; }
  VirtAddr vmalloc_end() const override { return vmalloc_start() + kVmallocPages * kPageBytes; }
  VirtAddr kmap_start() const override { return VirtAddr{uintptr_t{0xf000'0000}}; }
  VirtAddr kmap_end() const override {
    return kmap_start() + (1024 + 16 * size_t{cpus_}) * kPageBytes;
  }
  void run_on_all_cpus(void (*call)(void*), void* context) override {
    ++calls;
    const unsigned caller = cpu_;
    for (cpu_ = 0; cpu_ != cpus_; ++cpu_) call(context);
    cpu_ = caller;
  }
  quarry::CpuId current_cpu() const override { return quarry::CpuId{cpu_}; }
  // What a waiting thread finds: called by wait_for_memory(). Null: waiting is futile.
  void on_wait(bool (*wait)(void*), void* context) {
    wait_ = wait;
    wait_context_ = context;
  }
  bool wait_for_memory() override { return wait_ != nullptr && wait_(wait_context_); }
  // Whether the log has `text`; forgets the whole log if it does.
  bool reported(const char* text) {
    const bool found = find_text(log_.c_str(), text) != nullptr;
    if (found) log_.clear();
    return found;
  }
  bool quiet() const { return log_.size() == 0; }

  std::span<const quarry::MemoryRange> memory_ranges() const override { return {}; }
  quarry::NodeId cpu_node(quarry::CpuId) const override { return quarry::NodeId{0}; }
  unsigned node_distance(quarry::NodeId, quarry::NodeId) const override { return 10; }
  bool memory_is_zeroed() const override { return false; }
  void discard_memory() override {}
  bool has_lockless_arrays() const override { return false; }
  bool restart_array_operations() override { return false; }
  void set_fork_hooks(const quarry::ForkHooks&) override {}
  uint64_t clock_ns() const override { return 0; }
  void log(const char* text, size_t length) override { log_.write(text, length); }
  size_t backtrace(std::span<uintptr_t>) const override { return 0; }
  void symbolize(uintptr_t, std::span<char> text) const override { text[0] = '\0'; }
  [[noreturn]] void fatal(const char*) override { __builtin_trap(); }

 private:
  static constexpr size_t kPageBytes = quarry::kPageBytes;
  static constexpr unsigned kCachedPages = 1024;
  static constexpr unsigned kCachedTables = 16;
  static constexpr uint64_t kNothing = ~uint64_t{0};

  // What a CPU remembers, by the number of a page or of a last-level table. One pushes another out.
  struct CachedPage {
    uint64_t page;
    Entry entry;
  };
  struct CachedTable {
    uint64_t number;
    const Entry* table;
  };
  struct Remembered {
    CachedPage page[kCachedPages];
    CachedTable table[kCachedTables];
  };

  Pfn access(unsigned cpu, VirtAddr at, bool write) {
    const uint64_t page = at.value() / kPageBytes;
    CachedPage& cached = remembered_[cpu].page[page % kCachedPages];
    if (cached.page != page) {
      const Entry* const leaf = leaf_table(cpu, page);
      if (leaf == nullptr || !leaf[page % kLeafPages].present()) return quarry::kNoPfn;
      cached = {page, leaf[page % kLeafPages]};
    }
    if (!write || cached.entry.writable()) return cached.entry.frame();
    cached.page = kNothing;  // a fault drops what led to it
    return quarry::kNoPfn;
  }

  const Entry* leaf_table(unsigned cpu, uint64_t page) {
    const uint64_t number = page / kLeafPages;
    CachedTable& cached = remembered_[cpu].table[number % kCachedTables];
    if (cached.number == number) return cached.table;
    const Entry* at = table(Pfn{1});
    for (unsigned level = Format::kLevels - 1; level != 0; --level) {
      const Entry& entry = at[(page >> level * Format::kIndexBits) % kLeafPages];
      if (!entry.present()) return nullptr;
      at = table(entry.frame());
    }
    cached = {number, at};
    return at;
  }

  void forget(VirtAddr at) {
    ++page_flushes;
    const uint64_t page = at.value() / kPageBytes;
    CachedPage& cached = remembered_[cpu_].page[page % kCachedPages];
    if (cached.page == page) cached.page = kNothing;
    for (CachedTable& table : remembered_[cpu_].table) table.number = kNothing;
  }
  void forget_all() {
    ++full_flushes;
    forget_all(cpu_);
  }
  void forget_all(unsigned cpu) {
    for (CachedPage& page : remembered_[cpu].page) page.page = kNothing;
    for (CachedTable& table : remembered_[cpu].table) table.number = kNothing;
  }

  inline static Mmu* running = nullptr;
  alignas(quarry::kPageBytes) inline static unsigned char arena_[kTableFrames][quarry::kPageBytes];
  inline static Remembered remembered_[kMaxCpus];

  unsigned cpus_;
  unsigned cpu_ = 0;
  unsigned left_ = ~0U;
  unsigned free_count_ = 0;
  Pfn free_[kTableFrames];
  void (*on_take_)(void*) = nullptr;
  void* take_context_ = nullptr;
  bool (*wait_)(void*) = nullptr;
  void* wait_context_ = nullptr;
  quarry::FixedText<2048> log_;
};

}  // namespace harness
