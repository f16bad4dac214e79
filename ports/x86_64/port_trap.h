// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// What trap_entry.S leaves on the stack.
struct TrapFrame {
  static constexpr unsigned kRegisters = 15;
  static constexpr const char* kNames[kRegisters] = {"R15", "R14", "R13", "R12", "R11",
                                                     "R10", "R09", "R08", "RDI", "RSI",
                                                     "RBP", "RDX", "RCX", "RBX", "RAX"};
  static constexpr const char* kIpName = "RIP";

  uint64_t general[kRegisters];
  uint64_t vector;
  uint64_t error;
  uint64_t ip;
  uint64_t cs;
  uint64_t flags;
  uint64_t stack;
  uint64_t ss;

  uint64_t stack_pointer() const { return stack; }
};

// Where interrupted code has to go on: at the start of the array operation that it was in, if any.
uintptr_t resume_address(uintptr_t ip);

// An entry of the interrupt descriptor table (Intel SDM vol. 3A, 6.14.1): interrupts go off.
struct Gate {
  static constexpr uint8_t kInterruptGate = 0x8e;

  uint16_t offset_low;
  uint16_t selector;
  uint8_t stack_table;
  uint8_t type;
  uint16_t offset_middle;
  uint32_t offset_high;
  uint32_t reserved;

  static Gate make(uintptr_t entry, uint16_t selector) {
    return {static_cast<uint16_t>(entry),
            selector,
            0,
            kInterruptGate,
            static_cast<uint16_t>(entry >> 16),
            static_cast<uint32_t>(entry >> 32),
            0};
  }
};
static_assert(sizeof(Gate) == 16);

}  // namespace quarry
