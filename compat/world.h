// SPDX-License-Identifier: MIT
#pragma once

// What the kernel's C API asks of the world that it is linked into, besides its machine: defined by
// hosted/ for a process and by bare/ for a kernel.

#include <cstddef>

namespace quarry {

// Where the default system's parameters come from; "" if there are none.
const char* command_line();
// Text while there is no system to log it.
void write_early(const char* text, size_t length);

int running_cpu();
int process_id();
// Lets others run, if there are any.
void yield();
// Ends the world as failed. All has been said.
[[noreturn]] void stop();

// What local_irq_disable() and its like do besides counting, and whether a handler's entry did.
void hold_interrupts();
void release_interrupts();
bool interrupts_held();

// Whether it lies among the program's constants, which nobody writes or frees.
bool is_constant(const void* address);

// Memory that is the program's for good. Null: there is none.
void* allocate_for_ever(size_t bytes);
// Arranges that `run` is called when the program ends; a kernel does not.
void call_at_exit(void (*run)());
// What an error number means; "" where nobody knows.
const char* error_text(int error);

}  // namespace quarry
