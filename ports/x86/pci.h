// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// A function of a PCI device, by the configuration mechanism of ports CF8h and CFCh (PCI Local Bus
// Specification 3.0, 3.2.2.3.2). While one CPU uses it.
class PciDevice {
 public:
  // The first one on bus 0. False: there is none.
  static bool find(uint16_t vendor, uint16_t device, PciDevice& found);

  uint32_t read(uint8_t offset) const;
  void write(uint8_t offset, uint32_t value) const;

  // Lets it answer to memory accesses and access memory itself.
  void enable() const;
  // Physical address of the memory behind one of its base address registers.
  uint64_t memory(unsigned bar) const;

 private:
  uint32_t address_ = 0;
};

}  // namespace quarry
