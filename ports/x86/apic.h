// SPDX-License-Identifier: MIT
#pragma once

// The local APIC of each CPU (Intel SDM vol. 3A, chapter 11): interrupts between CPUs, and a timer.

#include <cstdint>

namespace quarry {

inline constexpr uint8_t kTimerVector = 0x40;
inline constexpr uint8_t kCallVector = 0x50;
inline constexpr uint8_t kSpuriousVector = 0xff;

// Masks the two old interrupt controllers of a PC for good.
void mask_legacy_interrupts();

// Turns the APIC of the CPU that runs on.
void start_apic();
uint32_t apic_id();
void end_of_interrupt();
void send_interrupt(uint32_t apic_id, uint8_t vector);
// INIT and two start-up interrupts: the CPU begins in real mode at physical address page << 12.
void send_start(uint32_t apic_id, uint8_t page);

// Interrupts kTimerVector on this CPU, this many times a second.
void start_timer(uint32_t per_second);
void stop_timer();

// Measures the time stamp counter and the APIC's timer against the PC's interval timer.
void measure_clocks();
void delay_us(uint32_t us);

}  // namespace quarry
