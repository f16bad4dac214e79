// SPDX-License-Identifier: MIT

// From boot.S to the program's kernel_main(), on the first CPU.

#include "port_layout.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/clock.h"
#include "x86/descriptors.h"
#include "x86/exit.h"
#include "x86/kernel.h"
#include "x86/paging.h"
#include "x86/report.h"
#include "x86/serial.h"
#include "x86/traps.h"

extern "C" {
extern char quarry_boot_stack[];
extern char quarry_boot_stack_end[];
extern void (*const quarry_constructors_start[])();
extern void (*const quarry_constructors_end[])();
[[noreturn]] void start_kernel(uint32_t magic, uint32_t block);
}

namespace quarry {

constinit BareMachine machine{};

namespace {

constexpr uint64_t kDefaultApic = 0xfee0'0000;

void become_first_cpu() {
  BareCpu& cpu = machine.cpu[0];
  for (unsigned i = 0; i != kMaxBareCpus; ++i) machine.cpu[i].block.init(i);
  cpu.stack_start = reinterpret_cast<uintptr_t>(quarry_boot_stack);
  cpu.stack_end = reinterpret_cast<uintptr_t>(quarry_boot_stack_end);
  use_segments(cpu);
}

void insist(const char* wrong) {
  if (wrong != nullptr) die(wrong);
}

}  // namespace
}  // namespace quarry

void start_kernel(uint32_t magic, uint32_t block) {
  using namespace quarry;
  start_serial();
  become_first_cpu();
  build_trap_table();
  use_trap_table();
  insist(read_boot_info(machine.boot, magic, block));
  insist(build_kernel_map(machine.boot));
  mask_legacy_interrupts();
  read_acpi(machine);
  if (machine.apic == 0) machine.apic = map_device(kDefaultApic, kPageBytes);
  start_apic();
  measure_clocks();
  start_clock();
  Console out;
  format(out, "quarry: started by %s: %s\n", machine.boot.loader,
         static_cast<const char*>(machine.boot.command_line));
  for (auto* constructor = quarry_constructors_start; constructor != quarry_constructors_end;
       ++constructor) {
    (*constructor)();
  }
  leave_machine(kernel_main());
}
