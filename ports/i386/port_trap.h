// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// What trap_entry.S leaves on the stack.
struct TrapFrame {
  static constexpr unsigned kRegisters = 8;
  static constexpr const char* kNames[kRegisters] = {"EDI", "ESI", "EBP", "ESP",
                                                     "EBX", "EDX", "ECX", "EAX"};
  static constexpr const char* kIpName = "EIP";

  uint32_t general[kRegisters];
  uint32_t vector;
  uint32_t error;
  uint32_t ip;
  uint32_t cs;
  uint32_t flags;

  // Without a change of privilege the CPU pushes no stack pointer: the stack goes on here.
  uintptr_t stack_pointer() const { return reinterpret_cast<uintptr_t>(this + 1); }
};

// Where interrupted code has to go on. Array operations are not interrupted here.
inline uintptr_t resume_address(uintptr_t ip) { return ip; }

// An entry of the interrupt descriptor table (Intel SDM vol. 3A, 6.11): interrupts go off.
struct Gate {
  static constexpr uint8_t kInterruptGate = 0x8e;

  uint16_t offset_low;
  uint16_t selector;
  uint8_t reserved;
  uint8_t type;
  uint16_t offset_high;

  static Gate make(uintptr_t entry, uint16_t selector) {
    return {static_cast<uint16_t>(entry), selector, 0, kInterruptGate,
            static_cast<uint16_t>(entry >> 16)};
  }
};
static_assert(sizeof(Gate) == 8);

}  // namespace quarry
