// SPDX-License-Identifier: MIT
#include "x86/apic.h"

#include "arch/arch.h"
#include "x86/cpu.h"
#include "x86/machine.h"

namespace quarry {
namespace {

enum Register : uint32_t {
  kId = 0x20,
  kTaskPriority = 0x80,
  kEndOfInterrupt = 0xb0,
  kSpurious = 0xf0,
  kCommandLow = 0x300,
  kCommandHigh = 0x310,
  kTimer = 0x320,
  kTimerInitial = 0x380,
  kTimerCurrent = 0x390,
  kTimerDivide = 0x3e0,
};
constexpr uint32_t kEnable = 1u << 8;    // of kSpurious
constexpr uint32_t kPending = 1u << 12;  // of kCommandLow
constexpr uint32_t kInit = 0x4500;       // asserted
constexpr uint32_t kStartUp = 0x4600;
constexpr uint32_t kFixed = 0x4000;
constexpr uint32_t kMasked = 1u << 16;  // of kTimer
constexpr uint32_t kPeriodic = 1u << 17;
constexpr uint32_t kDivideBy16 = 3;

// The interval timer 8254: channel 2, which runs when bit 0 of port 61h is set and shows in bit 5
// when it has counted down.
constexpr uint32_t kPitHz = 1193182;
constexpr uint16_t kPitChannel2 = 0x42;
constexpr uint16_t kPitCommand = 0x43;
constexpr uint16_t kSystemControl = 0x61;

volatile uint32_t& reg(Register number) {
  return *reinterpret_cast<volatile uint32_t*>(machine.apic + number);
}

void send(uint32_t to, uint32_t command) {
  const unsigned long flags = Arch::irq_save();
  reg(kCommandHigh) = to << 24;
  reg(kCommandLow) = command;
  while ((reg(kCommandLow) & kPending) != 0) asm volatile("pause");
  Arch::irq_restore(flags);
}

void wait_for_pit(uint16_t ticks) {
  const uint8_t control = static_cast<uint8_t>(in8(kSystemControl) & ~0x03);
  out8(kSystemControl, control);
  out8(kPitCommand, 0xb0);  // channel 2, both bytes, one count-down
  out8(kPitChannel2, static_cast<uint8_t>(ticks));
  out8(kPitChannel2, static_cast<uint8_t>(ticks >> 8));
  out8(kSystemControl, control | 0x01);
  while ((in8(kSystemControl) & 0x20) == 0) asm volatile("pause");
}

}  // namespace

void mask_legacy_interrupts() {
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
}

void start_apic() {
  reg(kTaskPriority) = 0;
  reg(kTimer) = kMasked;
  reg(kTimerDivide) = kDivideBy16;
  reg(kSpurious) = kEnable | kSpuriousVector;
}

uint32_t apic_id() { return reg(kId) >> 24; }

void end_of_interrupt() { reg(kEndOfInterrupt) = 0; }

void send_interrupt(uint32_t to, uint8_t vector) { send(to, kFixed | vector); }

void send_start(uint32_t to, uint8_t page) {
  send(to, kInit);
  delay_us(10'000);
  for (int i = 0; i != 2; ++i) {
    send(to, kStartUp | page);
    delay_us(200);
  }
}

void start_timer(uint32_t per_second) {
  reg(kTimer) = kPeriodic | kTimerVector;
  reg(kTimerInitial) = machine.apic_ticks_per_second / per_second;
}

void stop_timer() {
  reg(kTimer) = kMasked;
  reg(kTimerInitial) = 0;
}

void measure_clocks() {
  constexpr uint32_t kParts = 100;  // of a second
  reg(kTimerInitial) = ~0U;
  const uint64_t tsc = read_tsc();
  wait_for_pit(kPitHz / kParts);
  const uint32_t ticks = ~0U - reg(kTimerCurrent);
  machine.tsc_per_ms = static_cast<uint32_t>(read_tsc() - tsc) / (1000 / kParts);
  machine.apic_ticks_per_second = ticks * kParts;
  stop_timer();
}

void delay_us(uint32_t us) {
  constexpr uint32_t kMostUs = 50'000;  // of 16 bits of ticks
  for (; us > kMostUs; us -= kMostUs) wait_for_pit(kPitHz / (1'000'000 / kMostUs));
  const uint32_t ticks = us * (kPitHz / 1000) / 1000;
  if (ticks != 0) wait_for_pit(static_cast<uint16_t>(ticks));
}

}  // namespace quarry
