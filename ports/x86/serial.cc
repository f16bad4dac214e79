// SPDX-License-Identifier: MIT

// A 16550 UART (National Semiconductor PC16550D data sheet).

#include "x86/serial.h"

#include <atomic>

#include "arch/arch.h"
#include "x86/cpu.h"

namespace quarry {
namespace {

constexpr uint16_t kPort = 0x3f8;
constexpr uint16_t kInterruptEnable = kPort + 1;
constexpr uint16_t kFifoControl = kPort + 2;
constexpr uint16_t kLineControl = kPort + 3;
constexpr uint16_t kModemControl = kPort + 4;
constexpr uint16_t kLineStatus = kPort + 5;
constexpr uint8_t kDivisorLatch = 0x80;
constexpr uint8_t kEightBits = 0x03;
constexpr uint8_t kTransmitterEmpty = 0x20;

constinit std::atomic<bool> busy{false};
constinit std::atomic<bool> locking{true};

void write_byte(char c) {
  while ((in8(kLineStatus) & kTransmitterEmpty) == 0) Arch::relax(0);
  out8(kPort, static_cast<uint8_t>(c));
}

}  // namespace

void start_serial() {
  out8(kInterruptEnable, 0);
  out8(kLineControl, kDivisorLatch);
  out8(kPort, 1);  // divisor 1: 115200 baud
  out8(kInterruptEnable, 0);
  out8(kLineControl, kEightBits);
  out8(kFifoControl, 0x07);   // on, both emptied
  out8(kModemControl, 0x03);  // data terminal ready, request to send
}

void unlock_serial() { locking.store(false, std::memory_order_relaxed); }

void write_serial(const char* text, size_t length) {
  const unsigned long flags = Arch::irq_save();
  const bool locked = locking.load(std::memory_order_relaxed);
  while (locked && busy.exchange(true, std::memory_order_acquire)) Arch::relax(0);
  for (size_t i = 0; i != length; ++i) {
    if (text[i] == '\n') write_byte('\r');
    write_byte(text[i]);
  }
  if (locked) busy.store(false, std::memory_order_release);
  Arch::irq_restore(flags);
}

}  // namespace quarry
