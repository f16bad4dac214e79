// SPDX-License-Identifier: MIT
#pragma once

// Objects grouped by who allocated or freed them, as the kernel's debugfs files alloc_traces and
// free_traces show them.

#include "check/track.h"

namespace quarry {

class TrackTable {
 public:
  // Over memory for the groups, which is cleared. Room for at least two groups.
  TrackTable(void* memory, size_t bytes);

  // `wasted`: bytes of the object that kmalloc was not asked for. False: there are more groups
  // than fit.
  [[nodiscard]] bool add(const Track& track, uint32_t wasted, unsigned node, uintptr_t now);
  // Largest groups first. Nothing can be added afterwards.
  void write(TextSink& out, const Reporter& reporter, const StackDepot& depot, unsigned nodes);

 private:
  static constexpr unsigned kMostCpus = 1024;
  static constexpr unsigned kMostNodes = 64;

  template <unsigned kBits>
  struct Mask {
    uint32_t word[kBits / 32];
    // Tracks lie where programs with bugs write: a number may be anything.
    void set(unsigned bit) { word[bit / 32 % (kBits / 32)] |= 1U << bit % 32; }
    bool has(unsigned bit) const { return (word[bit / 32] >> bit % 32 & 1) != 0; }
    void write(TextSink& out) const;  // "0-3,5"
  };

  struct Group {
    uint32_t count;  // 0: unused
    uint32_t stack;
    uint32_t wasted;  // by each object
    uintptr_t place;
    uint64_t sum_age;
    uintptr_t least_age, most_age;
    int32_t least_task, most_task;
    Mask<kMostCpus> cpus;
    Mask<kMostNodes> nodes;

    bool is_of(const Track& track, uint32_t its_wasted) const {
      return place == track.place && stack == track.stack && wasted == its_wasted;
    }
    bool comes_before(const Group& other) const;
  };

  void sort();
  static void write_group(TextSink& out, const Group& group, const Reporter& reporter,
                          unsigned nodes);

  Group* group_;
  uint32_t capacity_;
  uint32_t groups_ = 0;
};

}  // namespace quarry
