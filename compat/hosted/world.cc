// SPDX-License-Identifier: MIT
#include "world.h"

#include <link.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace quarry {

const char* command_line() {
  const char* const text = getenv("QUARRY_CMDLINE");
  return text != nullptr ? text : "";
}

void write_early(const char* text, size_t length) {
  while (length != 0) {
    const ssize_t written = write(STDERR_FILENO, text, length);
    if (written <= 0) return;
    text += written;
    length -= static_cast<size_t>(written);
  }
}

int running_cpu() { return sched_getcpu(); }
int process_id() { return getpid(); }
void yield() { sched_yield(); }
void stop() { abort(); }

// A signal handler looks at the count and leaves its work for later.
void hold_interrupts() {}
void release_interrupts() {}
bool interrupts_held() { return false; }

// Of the program itself: the constants of a library may be unloaded with it.
bool is_constant(const void* address) {
  struct Search {
    uintptr_t wanted;
    bool found = false;
  } search{reinterpret_cast<uintptr_t>(address)};
  dl_iterate_phdr(
      [](dl_phdr_info* program, size_t, void* context) {
        auto& [wanted, found] = *static_cast<Search*>(context);
        for (unsigned i = 0; i != program->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = program->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
          found = found || wanted - program->dlpi_addr - segment.p_vaddr < segment.p_memsz;
        }
        return 1;  // the program is the first
      },
      &search);
  return search.found;
}

void* allocate_for_ever(size_t bytes) { return malloc(bytes); }
void call_at_exit(void (*run)()) { atexit(run); }
const char* error_text(int error) { return strerror(error); }

}  // namespace quarry
