// SPDX-License-Identifier: MIT

// The default system, and its boot from QUARRY_CMDLINE before main. Both are in one file, so that
// whoever names the system has its boot linked too.

#include "default_system.h"

#include <unistd.h>

#include <new>

#include "boot_options.h"
#include "printk.h"
#include "proc_files.h"
#include "quarry/hosted_platform.h"
#include "system/leaks.h"
#include "world.h"

namespace quarry {

constinit MemorySystem default_system;

namespace {

// Never destroyed: exit handlers may still allocate.
alignas(HostedPlatform) unsigned char platform_memory[sizeof(HostedPlatform)];

constexpr int kBadParameters = 2;
constexpr size_t kLineBytes = 1024;

[[noreturn]] void refuse(const FixedText<kLineBytes>& line) {
  log_text(line.c_str(), line.size());
  _exit(kBadParameters);
}

static_assert(MachineOptions::kMostNodes == HostedPlatform::kMaxNodes &&
              MachineOptions::kMostCpus == HostedPlatform::kMaxCpus);

// Parameters of a process alone: where it keeps its texts of /proc, and whether it tells at its end
// what was never freed.
constexpr std::string_view kProcFolder = "quarry.proc";
constexpr std::string_view kLeaks = "quarry.leaks";

bool is_of_process(std::string_view name) {
  return same_name(name, kProcFolder) || same_name(name, kLeaks);
}

// A forked child's objects are copies.
pid_t owner = 0;
void report_leaks_at_exit() {
  if (getpid() == owner) report_leaks(default_core());
}

void follow_parameters_of_process(FixedText<kLineBytes>& complaint) {
  std::string_view rest = command_line();
  Parameter parameter;
  while (next_parameter(rest, parameter)) {
    bool leaks = !parameter.has_value;
    if (same_name(parameter.name, kProcFolder)) {
      FixedText<kLineBytes / 2> folder;
      folder.write(parameter.value.data(), parameter.value.size());
      if (!keep_proc_files(folder.c_str(), complaint)) refuse(complaint);
    } else if (same_name(parameter.name, kLeaks) &&
               (leaks || (parse_bool(parameter.value, leaks) && leaks))) {
      owner = getpid();
      call_at_exit(report_leaks_at_exit);
    }
  }
}

// The lowest priority that programs may use, so that all other constructors may allocate.
[[gnu::constructor(101)]] void boot_default_system() {
  BootOptions options{.machine = {.ram_bytes = kGiB, .nodes = 1}};
  FixedText<kLineBytes> unknown;
  FixedText<kLineBytes> complaint;
  if (!read_boot_options("QUARRY_CMDLINE", command_line(), is_of_process, options, unknown,
                         complaint)) {
    refuse(complaint);
  }
  set_console_loglevel(options.console_loglevel);
  auto* const platform = new (platform_memory) HostedPlatform();
  const MachineOptions& machine = options.machine;
  if (!platform->open(
          {.ram_bytes = machine.ram_bytes, .nodes = machine.nodes, .cpus = machine.cpus})) {
    format(complaint, "quarry: no machine for the default system: %s\n", platform->error());
    refuse(complaint);
  }
  FixedText<kLineBytes + 64> line;
  report_unknown(line, unknown.c_str());
  log_text(line.c_str(), line.size());
  if (!default_system.boot(*platform, options.system)) {
    format(complaint, "quarry: the default system does not boot\n");
    refuse(complaint);
  }
  follow_parameters_of_process(complaint);
}

}  // namespace
}  // namespace quarry
