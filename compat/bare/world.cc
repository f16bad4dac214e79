// SPDX-License-Identifier: MIT
#include "world.h"

#include "arch/arch.h"
#include "default_system.h"
#include "x86/cpu.h"
#include "x86/exit.h"
#include "x86/image.h"
#include "x86/machine.h"
#include "x86/serial.h"

namespace quarry {

const char* command_line() { return machine.boot.command_line; }
void write_early(const char* text, size_t length) { write_serial(text, length); }

int running_cpu() { return Arch::cpu_id(); }
int process_id() { return 0; }
void yield() {
  Arch::relax(0);
  // Perhaps there is no other CPU that does it.
  if (default_system.booted()) default_system.step();
}
void stop() { leave_machine(false); }

void hold_interrupts() { disable_interrupts(); }
void release_interrupts() {
  // In a handler they come back when it returns.
  if (Arch::context().hardirq_depth == 0) enable_interrupts();
}
bool interrupts_held() { return !interrupts_enabled(); }

bool is_constant(const void* address) {
  return image::is_constant(reinterpret_cast<uintptr_t>(address));
}

void* allocate_for_ever(size_t bytes) { return default_system.kmalloc(bytes, gfp::kKernel); }
// What is part of a kernel is never unloaded.
void call_at_exit(void (*)()) {}
const char* error_text(int) { return ""; }

}  // namespace quarry
