// SPDX-License-Identifier: MIT

// A kernel that has memory: boots Quarry on all of the machine and lets a driver use it.

#include <quarry/default_system.h>

#include "driver.h"
#include "machine.h"
#include "platform.h"

extern "C" [[noreturn]] void kernel_main(uint32_t start_info);

namespace {

using namespace quarry;

constinit KernelPlatform platform;

class Console final : public TextSink {
 public:
  void write(const char* text, size_t length) override { write_serial(text, length); }
};

// Pages that a driver may have: free ones, and those of slabs that caches keep for next time.
size_t pages_in_stock() {
  default_system.drain_all();
  default_system.trim_page_tables();
  return default_system.free_page_count() + default_system.slab_page_count();
}

// The driver was written against Linux's C API; the kernel itself may use that or C++.
bool run(bool break_rules) {
  Console out;
  const size_t before = pages_in_stock();
  if (!driver_open()) return false;
  format(out, "/proc/buddyinfo\n");
  default_system.buddyinfo(out);
  format(out, "/proc/slabinfo\n");
  default_system.slabinfo(out);
  format(out, "/proc/vmallocinfo\n");
  default_system.vmallocinfo(out);
  if (break_rules) driver_overrun();
  driver_close();

  const size_t after = pages_in_stock();
  format(out, "pages in stock: %zu before, %zu after\n", before, after);
  return default_system.validate(out) && after == before;
}

}  // namespace

void kernel_main(uint32_t start_info) {
  start_machine();
  const bool break_rules = command_line(start_info)[0] == 'o';  // -append overrun
  platform.take(take_memory(start_info));
  if (!default_system.boot(platform, {})) die("the memory system does not boot");
  bool passed = run(break_rules);
  if (default_system.shutdown() != 0) passed = false;
  Console out;
  format(out, "minimal kernel: %s\n", passed ? "PASSED" : "FAILED");
  leave_machine(passed);
}
