// SPDX-License-Identifier: MIT

// The default system, and its boot from QUARRY_CMDLINE before main. Both are in one file, so that
// whoever names the system has its boot linked too.

#include "default_system.h"

#include <stdlib.h>
#include <unistd.h>

#include <new>

#include "boot_options.h"
#include "printk.h"

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

void report_unknown(const FixedText<kLineBytes>& unknown) {
  if (unknown.size() == 0) return;
  FixedText<kLineBytes + 64> line;
  // Behind the space that is before the first.
  format(line, "Unknown kernel command line parameters \"%s\", ignored.\n", unknown.c_str() + 1);
  log_text(line.c_str(), line.size());
}

// The lowest priority that programs may use, so that all other constructors may allocate.
[[gnu::constructor(101)]] void boot_default_system() {
  BootOptions options;
  FixedText<kLineBytes> unknown;
  FixedText<kLineBytes> complaint;
  if (!read_boot_options(command_line(), options, unknown, complaint)) refuse(complaint);
  set_console_loglevel(options.console_loglevel);
  auto* const platform = new (platform_memory) HostedPlatform();
  if (!platform->open(options.machine)) {
    format(complaint, "quarry: no machine for the default system: %s\n", platform->error());
    refuse(complaint);
  }
  report_unknown(unknown);
  if (!default_system.boot(*platform, options.system)) {
    format(complaint, "quarry: the default system does not boot\n");
    refuse(complaint);
  }
}

}  // namespace

const char* command_line() {
  const char* const text = getenv("QUARRY_CMDLINE");
  return text != nullptr ? text : "";
}

}  // namespace quarry
