// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace boot {

// QEMU's educational device (docs/specs/edu in QEMU), as far as it copies between memory and a
// buffer of its own. It reaches as many address bits as -device edu,dma_mask= says, 28 without
// that, and cuts off what an address has above them.
class Edu {
 public:
  // One transfer at most: this version of the device ends QEMU at 4096.
  static constexpr size_t kMostBytes = 4095;

  // False: the machine has none.
  bool open();
  // Memory at a physical address to the device's buffer, and back. Return when it is done.
  void read_memory(uint64_t physical, size_t bytes);
  void write_memory(uint64_t physical, size_t bytes);

 private:
  void transfer(uint64_t from, uint64_t to, size_t bytes, uint32_t command);
  void set(unsigned reg, uint64_t value);

  uintptr_t registers_ = 0;
};

}  // namespace boot
