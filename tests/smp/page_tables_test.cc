// SPDX-License-Identifier: MIT
// Threads map and unmap pages of their own below tables that they share, while another takes off
// whatever table is empty. Nobody's page may go, and no frame of a table may be lost.
#include "map/page_tables.h"

#include <atomic>
#include <thread>
#include <vector>

#include "arch/x86/page_tables.h"
#include "base/random.h"
#include "harness.h"

namespace {

using quarry::kNoPfn;
using quarry::kPageBytes;
using quarry::MapAccess;
using quarry::Pfn;
using quarry::VirtAddr;

constexpr unsigned kThreads = 3;
constexpr unsigned kRounds = 20'000;
constexpr unsigned kMostPages = 8;
constexpr unsigned kLeastTrimmed = 100;

// Frames 1 to 127; 1 is the root.
class Frames final : public quarry::FrameSource {
 public:
  Frames() {
    for (uint32_t frame = kCount - 1; frame != 1; --frame) free_.push_back(Pfn{frame});
  }
  Pfn take() override {
    const quarry::LockGuard guard(lock_);
    if (free_.empty()) return kNoPfn;
    const Pfn frame = free_.back();
    free_.pop_back();
    __builtin_memset(memory_[frame.value()], 0, kPageBytes);
    return frame;
  }
  void give_back(Pfn frame) override {
    const quarry::LockGuard guard(lock_);
    free_.push_back(frame);
  }
  size_t taken() const { return kCount - 2 - free_.size(); }
  VirtAddr address(Pfn frame) const { return VirtAddr{memory_[frame.value()]}; }

 private:
  static constexpr uint32_t kCount = 128;
  alignas(kPageBytes) unsigned char memory_[kCount][kPageBytes] = {};
  quarry::SpinLock lock_{quarry::LockRank::kLeaf};
  std::vector<Pfn> free_;
};

template <class Format>
struct Shared {
  static constexpr size_t kPages = size_t{6} << Format::kIndexBits;
  static constexpr VirtAddr kStart{uintptr_t{0xb000'0000}};

  Frames frames;
  quarry::PageTables<Format> tables;
  std::atomic<bool> done{false};
  std::atomic<unsigned> wrong{0};
  std::atomic<unsigned> trimmed{0};

  Shared() { tables.init(frames.address(Pfn{1}), frames.address(Pfn{0}), frames); }

  // The pages of a thread lie between those of the others.
  void work(unsigned thread) {
    quarry::Random random(harness::seed() + thread);
    for (unsigned round = 0; round < kRounds || trimmed.load() < kLeastTrimmed; ++round) {
      const size_t piece = random.below(kPages / kMostPages / kThreads) * kThreads + thread;
      const VirtAddr at = kStart + piece * kMostPages * kPageBytes;
      const size_t count = random.between(1, kMostPages);
      const Pfn first{random.between(1000, 90000)};
      if (tables.fill(at, first, count, MapAccess::kReadWrite) != count) ++wrong;
      for (size_t i = 0; i != count; ++i) {
        if (tables.find(at + i * kPageBytes)->frame() != first + i) ++wrong;
      }
      tables.clear(at, count);
    }
  }

  void trim() {
    Pfn detached[4];
    while (!done.load()) {
      const size_t found = tables.detach_empty(kStart, kPages, detached);
      for (size_t i = 0; i != found; ++i) frames.give_back(detached[i]);
      trimmed += static_cast<unsigned>(found);
    }
  }
};

template <class Format>
void run() {
  Shared<Format> shared;
  std::vector<std::thread> workers;
  for (unsigned n = 0; n != kThreads; ++n) workers.emplace_back([&, n] { shared.work(n); });
  std::thread trimmer([&] { shared.trim(); });
  for (std::thread& worker : workers) worker.join();
  shared.done = true;
  trimmer.join();
  CHECK_EQ(shared.wrong.load(), 0U);
  quarry::FixedText<256> problem;
  if (!shared.tables.validate(problem)) harness::fail(__FILE__, __LINE__, problem.c_str());
  CHECK_EQ(shared.frames.taken(), shared.tables.table_count());
  Pfn detached[64];
  (void)shared.tables.detach_empty(shared.kStart, shared.kPages, detached);
  CHECK_EQ(shared.tables.table_count(), 0U);
}

QUARRY_TEST(SharedPageTables, two_levels) { run<quarry::X86TwoLevelTables>(); }
QUARRY_TEST(SharedPageTables, four_levels) { run<quarry::X86FourLevelTables>(); }

}  // namespace
