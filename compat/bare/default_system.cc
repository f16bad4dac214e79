// SPDX-License-Identifier: MIT

// The default system of a kernel. It boots on all of the machine before the constructors of the
// kernel's modules, and starts the other CPUs.

#include "default_system.h"

#include "boot_options.h"
#include "default_machine.h"
#include "printk.h"
#include "world.h"
#include "x86/machine.h"
#include "x86/report.h"
#include "x86/smp.h"

namespace quarry {

constinit MemorySystem default_system;
constinit BarePlatform default_machine;

namespace {

static_assert(MachineOptions::kMostNodes == kMaxBareNodes);

constexpr size_t kLineBytes = 1024;
constexpr size_t kStackBytes = 64 * kKiB;

[[noreturn]] void refuse(const FixedText<kLineBytes>& line) {
  write_early(line.c_str(), line.size());
  stop();
}

void start_cpus() {
  void* stacks[kMaxBareCpus] = {};
  for (unsigned i = 1; i != machine.cpu_count; ++i) {
    stacks[i] = default_system.alloc_pages_exact(kStackBytes, gfp::kKernel, machine.cpu[i].node);
    if (stacks[i] == nullptr) die("no memory for the stack of a CPU");
  }
  start_other_cpus(stacks, kStackBytes);
}

[[gnu::constructor(101)]] void boot_default_system() {
  BootOptions options{.machine = {.ram_bytes = machine.boot.usable_end()}};
  FixedText<kLineBytes> unknown;
  FixedText<kLineBytes> complaint;
  if (!read_boot_options("quarry", command_line(), is_parameter_of_program, options, unknown,
                         complaint))
    refuse(complaint);
  set_console_loglevel(options.console_loglevel);
  if (const char* const wrong = default_machine.open({.ram_end = options.machine.ram_bytes,
                                                      .nodes = options.machine.nodes,
                                                      .cpus = options.machine.cpus});
      wrong != nullptr) {
    format(complaint, "quarry: no machine for the default system: %s\n", wrong);
    refuse(complaint);
  }
  Console console;
  report_unknown(console, unknown.c_str());
  if (!default_system.boot(default_machine, options.system)) {
    format(complaint, "quarry: the default system does not boot\n");
    refuse(complaint);
  }
  start_cpus();
}

}  // namespace
}  // namespace quarry
