// SPDX-License-Identifier: MIT
#pragma once

// Instructions of x86 that C++ has no words for.

#include <cstdint>

namespace quarry {

inline void out8(uint16_t port, uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void out32(uint16_t port, uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline uint8_t in8(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline uint32_t in32(uint16_t port) {
  uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

inline void write_msr(uint32_t number, uint64_t value) {
  asm volatile("wrmsr"
               :
               : "c"(number), "a"(static_cast<uint32_t>(value)),
                 "d"(static_cast<uint32_t>(value >> 32))
               : "memory");
}
inline uint64_t read_tsc() {
  uint32_t low;
  uint32_t high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return uint64_t{high} << 32 | low;
}

// The address that the last page fault of this CPU was about.
inline uintptr_t read_cr2() {
  uintptr_t address;
  asm volatile("mov %%cr2, %0" : "=r"(address));
  return address;
}
// Takes `root` (physical) for this CPU's page tables, and drops all cached translations that are
// not global.
inline void write_cr3(uintptr_t root) { asm volatile("mov %0, %%cr3" : : "r"(root) : "memory"); }

inline bool interrupts_enabled() {
  constexpr unsigned long kInterruptFlag = 1UL << 9;
  unsigned long flags;
  asm volatile("pushf\n\tpop %0" : "=rm"(flags) : : "memory");
  return (flags & kInterruptFlag) != 0;
}
inline void enable_interrupts() { asm volatile("sti" : : : "memory"); }
inline void disable_interrupts() { asm volatile("cli" : : : "memory"); }
// Sleeps until the next interrupt. Interrupts are on from the instruction that sleeps, so one that
// comes after the caller last looked is not missed; they are on afterwards.
inline void enable_interrupts_and_halt() { asm volatile("sti\n\thlt" : : : "memory"); }

}  // namespace quarry
