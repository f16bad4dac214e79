// SPDX-License-Identifier: MIT
#pragma once

// Which frame is mapped at each page of the vmalloc range, for the port's own use: fork() makes
// every mapping again in the child, and a range that is unmapped can be parked (arena.h). The host
// knows it too, but only as text under /proc.
//
// One word for each page: 0 for nothing, else frame and flags. The table is as sparse as the range.
// Entries are written by whoever maps or unmaps that page; that is one thread at a time.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace quarry {

// Consecutive pages with consecutive frames, mapped alike.
struct MappedRun {
  size_t page;  // index within the range
  uint32_t frame;
  size_t count;
  bool read_only;
  bool populated;  // the host's page tables were filled when it was mapped
};

class MappingRecord {
 public:
  static constexpr uint32_t kMaxFrames = uint32_t{1} << 30;

  // False: the host refuses.
  bool open(size_t pages);
  void close();

  void set(const MappedRun& run);
  void clear(size_t page, size_t count);

  // No page from here on has ever been mapped.
  size_t end() const { return end_.load(std::memory_order_relaxed); }

  // The first run that starts at or after `page`, cut at `end`. False: there is none.
  bool next_run(size_t page, size_t end, MappedRun& run) const;

 private:
  static constexpr uint32_t kReadOnly = uint32_t{1} << 31;
  static constexpr uint32_t kPopulated = uint32_t{1} << 30;
  static constexpr uint32_t kFrame = kMaxFrames - 1;

  uint32_t* entries_ = nullptr;
  size_t pages_ = 0;
  std::atomic<size_t> end_{0};
};

}  // namespace quarry
