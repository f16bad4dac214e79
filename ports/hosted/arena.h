// SPDX-License-Identifier: MIT
#pragma once

// The machine's RAM and address space:
//
//   guard | direct map | guard | parking | guard | vmalloc range | guard
//
// All of it is one reservation in which nothing but the arena maps anything, and what holds no
// frame is PROT_NONE: holes of the memory map, guards, and free vmalloc addresses fault. Physical
// address p is byte p of a memory file (memfd), seen at direct map + p. Mapping frames at a vmalloc
// address maps the file there a second time; unmapping puts PROT_NONE in its place.
//
// Parking is a third view of all RAM, used by nobody: when a larger run of frames is unmapped, the
// host's page-table entries are moved there instead of being thrown away, and the next mapping of
// those frames moves them back. That takes a tenth of the time that filling them again takes.
// Simulated machines do without, they hardly touch what they map.
//
// No view of the file is inherited by fork(): it would be shared with the child. The file is copied
// before the fork and the child maps everything again from the copy.

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gate.h"
#include "mapping_record.h"
#include "quarry/platform.h"

namespace quarry {

class Arena {
 public:
  // Null, or what the host refuses. `memory` stays the caller's and has to stay.
  const char* open(std::span<const MemoryRange> memory, uint64_t vmalloc_bytes, bool parking);
  void close();

  uintptr_t direct_map() const { return direct_; }
  uintptr_t window() const { return window_; }
  size_t window_bytes() const { return window_bytes_; }

  // As Platform::map and unmap.
  bool map(uintptr_t at, Pfn first, size_t count, MapAccess access);
  void unmap(uintptr_t at, size_t count);

  // As HostedPlatform::populate().
  void populate(uint64_t start, uint64_t bytes) const;
  // All RAM is as it was at the start: zero, and nothing of it backed by the host.
  void discard();

  // Before fork(): waits until nobody maps or unmaps and copies the file. Afterwards end_fork() in
  // the parent, or adopt_copy() in the child; false there: no copy could be had, and every access
  // faults from now on.
  void begin_fork();
  void end_fork();
  bool adopt_copy();

 private:
  enum Mark : uint8_t {
    kWarm = 1,    // the frame has been mapped before: the host has backed it by now
    kParked = 2,  // the host's page-table entry of its place in the parking is filled
  };

  const char* open_file();
  const char* lay_out(uint64_t vmalloc_bytes, bool parking);
  bool map_views();
  bool map_file(uintptr_t at, uint64_t offset, size_t bytes, int protection, int flags) const;
  bool unpark(uintptr_t at, const MappedRun& run);
  void park(uintptr_t at, size_t page, size_t count);
  void take_back(uintptr_t at, size_t bytes);
  bool all_marked(uint32_t frame, size_t count, Mark mark) const;
  void set_marks(uint32_t frame, size_t count, uint8_t marks);
  bool copy_file(int to) const;
  bool file_is_ours() const;
  bool map_everything_again();

  std::span<const MemoryRange> memory_{};
  uint64_t end_ = 0;  // of physical memory, in bytes
  uintptr_t reservation_ = 0;
  size_t reservation_bytes_ = 0;
  uintptr_t direct_ = 0;
  std::atomic<uintptr_t> parking_{0};  // 0: none, or the host cannot move page-table entries
  uintptr_t window_ = 0;
  size_t window_bytes_ = 0;
  int file_ = -1;
  int copy_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  // A mapping to give up when the host's limit of mappings keeps us from unmapping. 0: given up.
  std::atomic<uintptr_t> spare_{0};
  MappingRecord record_;
  uint8_t* marks_ = nullptr;  // one for each frame, atomic only in that a byte is; hints
  Gate gate_;
};

}  // namespace quarry
