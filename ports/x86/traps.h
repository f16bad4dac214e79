// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "port_trap.h"

namespace quarry {

// Runs in interrupt context with interrupts off.
using InterruptHandler = void (*)(const TrapFrame& frame);

// Faults are reported in the kernel's words and stop the machine, unless they are a probe's.
void build_trap_table();
// Makes the CPU that runs use the table.
void use_trap_table();

// For vectors from 32 on; an interrupt that has no handler is counted and dropped.
void set_interrupt_handler(uint8_t vector, InterruptHandler handler);
uint32_t stray_interrupts();

}  // namespace quarry
