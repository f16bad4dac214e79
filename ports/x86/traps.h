// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "port_trap.h"
#include "x86/machine.h"

namespace quarry {

// Runs in interrupt context with interrupts off.
using InterruptHandler = void (*)(const TrapFrame& frame);

// Faults are reported in the kernel's words and stop the machine, unless they are a probe's.
void build_trap_table();
// Makes the CPU that runs use the table.
void use_trap_table();

// Asked about every page fault that is no probe's, in the context that it interrupts, with
// interrupts off. True: the access can be made again. Null: nobody is asked.
using FaultHandler = bool (*)(const Fault& fault);
void set_fault_handler(FaultHandler handler);

// For vectors from 32 on; an interrupt that has no handler is counted and dropped.
void set_interrupt_handler(uint8_t vector, InterruptHandler handler);
uint32_t stray_interrupts();

}  // namespace quarry
