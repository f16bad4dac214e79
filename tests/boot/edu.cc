// SPDX-License-Identifier: MIT
#include "edu.h"

#include "arch/arch.h"
#include "x86/paging.h"
#include "x86/pci.h"

namespace boot {
namespace {

using namespace quarry;

constexpr uint16_t kVendor = 0x1234;
constexpr uint16_t kDevice = 0x11e8;
constexpr size_t kRegisterBytes = 0x100;
constexpr unsigned kSource = 0x80;
constexpr unsigned kTarget = 0x88;
constexpr unsigned kCount = 0x90;
constexpr unsigned kCommand = 0x98;
constexpr uint32_t kStart = 1;  // also: under way
constexpr uint32_t kToMemory = 2;
constexpr uint64_t kBuffer = 0x40000;  // as the device itself sees it

}  // namespace

bool Edu::open() {
  static constinit uintptr_t mapped = 0;  // mappings of devices are for ever
  PciDevice device;
  if (!PciDevice::find(kVendor, kDevice, device)) return false;
  device.enable();
  if (mapped == 0) mapped = map_device(device.memory(0), kRegisterBytes);
  registers_ = mapped;
  return true;
}

// As wide as the machine's words: an address beyond them is none that it could name.
void Edu::set(unsigned reg, uint64_t value) {
  *reinterpret_cast<volatile uintptr_t*>(registers_ + reg) = static_cast<uintptr_t>(value);
}

void Edu::transfer(uint64_t from, uint64_t to, size_t bytes, uint32_t command) {
  QUARRY_CHECK(bytes <= kMostBytes);
  set(kSource, from);
  set(kTarget, to);
  set(kCount, bytes);
  set(kCommand, command | kStart);
  const auto* const running = reinterpret_cast<volatile uint32_t*>(registers_ + kCommand);
  while ((*running & kStart) != 0) Arch::relax(0);
}

void Edu::read_memory(uint64_t physical, size_t bytes) { transfer(physical, kBuffer, bytes, 0); }

void Edu::write_memory(uint64_t physical, size_t bytes) {
  transfer(kBuffer, physical, bytes, kToMemory);
}

}  // namespace boot
