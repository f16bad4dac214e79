// SPDX-License-Identifier: MIT
#include "x86/pci.h"

#include "x86/cpu.h"

namespace quarry {
namespace {

constexpr uint16_t kAddressPort = 0xcf8;
constexpr uint16_t kDataPort = 0xcfc;
constexpr uint32_t kEnable = 1u << 31;
constexpr unsigned kFunctions = 32 * 8;  // of a bus
constexpr uint8_t kIdRegister = 0x00;
constexpr uint8_t kCommandRegister = 0x04;
constexpr uint8_t kFirstBar = 0x10;
constexpr uint32_t kMemorySpace = 1u << 1;
constexpr uint32_t kBusMaster = 1u << 2;

}  // namespace

uint32_t PciDevice::read(uint8_t offset) const {
  out32(kAddressPort, address_ | offset);
  return in32(kDataPort);
}

void PciDevice::write(uint8_t offset, uint32_t value) const {
  out32(kAddressPort, address_ | offset);
  out32(kDataPort, value);
}

bool PciDevice::find(uint16_t vendor, uint16_t device, PciDevice& found) {
  for (uint32_t function = 0; function != kFunctions; ++function) {
    found.address_ = kEnable | function << 8;
    if (found.read(kIdRegister) == (uint32_t{device} << 16 | vendor)) return true;
  }
  return false;
}

void PciDevice::enable() const {
  write(kCommandRegister, read(kCommandRegister) | kMemorySpace | kBusMaster);
}

uint64_t PciDevice::memory(unsigned bar) const {
  constexpr uint32_t kFlags = 0xf;
  constexpr uint32_t kType = 3u << 1;
  constexpr uint32_t k64Bit = 2u << 1;
  const auto offset = static_cast<uint8_t>(kFirstBar + 4 * bar);
  const uint32_t low = read(offset);
  const uint64_t high = (low & kType) == k64Bit ? read(offset + 4) : 0;
  return high << 32 | (low & ~kFlags);
}

}  // namespace quarry
