// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

// Addresses for a simulated machine. Nothing is there at first, and an access faults; what is made
// memory is zero and costs what is touched. Each world has its own way to it: a memory file and
// mmap() in a process, frames of the machine and its page tables on bare metal.
//
// Places and sizes are whole pages, and places count from base(), which is a multiple of 4 MiB.
namespace harness {

class SparseMemory {
 public:
  SparseMemory() = default;
  ~SparseMemory() { release(); }
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;

  // False: there are not so many addresses.
  [[nodiscard]] bool reserve(size_t bytes);
  // All addresses and what is there. Of what was never reserved: a no-op.
  void release();
  [[nodiscard]] unsigned char* base() const { return base_; }

  [[nodiscard]] bool add_memory(size_t at, size_t bytes);
  // All memory is zero again. Requires that none is shown elsewhere.
  void clear();
  // Makes the memory at `from` appear at `at` too, where nothing is.
  [[nodiscard]] bool show(size_t at, size_t from, size_t bytes, bool writable);
  void hide(size_t at, size_t bytes);

 private:
  static constexpr size_t kAlign = size_t{4} << 20;

  unsigned char* base_ = nullptr;
  size_t bytes_ = 0;
  int file_ = -1;  // in a process
};

}  // namespace harness
