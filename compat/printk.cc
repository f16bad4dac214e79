// SPDX-License-Identifier: MIT
#include "printk.h"

#include <linux/bug.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <stdio.h>
#include <string.h>

#include <atomic>
#include <span>

#include "default_system.h"
#include "world.h"

namespace quarry {
namespace {

constexpr size_t kMaxLine = 1000;
constexpr int kDefaultLevel = 4;  // of a message that names none
constexpr size_t kMaxFrames = 24;

std::atomic<int> console_loglevel{7};
// The level of the last line, which KERN_CONT continues.
std::atomic<int> last_level{kDefaultLevel};

// Takes the level off the front of a format.
int take_level(const char*& format) {
  if (format[0] != KERN_SOH_ASCII || format[1] == '\0') return kDefaultLevel;
  const char level = format[1];
  format += 2;
  if (level == 'c') return last_level.load(std::memory_order_relaxed);
  return level >= '0' && level <= '7' ? level - '0' : kDefaultLevel;
}

void print_line(const char* format, ...) __printf(1, 2);

void print_line(const char* format, ...) {
  va_list args;
  va_start(args, format);
  char line[kMaxLine];
  const int length = vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  if (length > 0) log_text(line, strnlen(line, sizeof(line)));
}

void begin_warning() { print_line("------------[ cut here ]------------\n"); }

void finish_warning(const char* file, int line, const char* function) {
  print_line("WARNING: CPU: %d PID: %d at %s:%d %s\n", running_cpu(), process_id(), file, line,
             function);
  dump_stack();
  print_line("---[ end trace 0000000000000000 ]---\n");
}

}  // namespace

void log_text(const char* text, size_t length) {
  if (default_system.booted()) {
    default_system.platform().log(text, length);
    return;
  }
  write_early(text, length);
}

void set_console_loglevel(int level) { console_loglevel.store(level, std::memory_order_relaxed); }

extern "C" {

int vprintk(const char* format, va_list args) {
  const int level = take_level(format);
  last_level.store(level, std::memory_order_relaxed);
  char line[kMaxLine];
  const int wanted = vsnprintf(line, sizeof(line), format, args);
  if (wanted <= 0) return 0;
  const size_t length = strnlen(line, sizeof(line));
  if (level < console_loglevel.load(std::memory_order_relaxed)) log_text(line, length);
  return static_cast<int>(length);
}

void mem_dump_obj(void* object) {
  FixedText<256> text;
  default_system.describe(object, text);
  printk(KERN_CONT "%s", text.c_str());
}

void kmem_dump_obj(void* object) {
  if (WARN_ON_ONCE(!kmem_valid_obj(object))) return;
  mem_dump_obj(object);
}

int printk(const char* format, ...) {
  va_list args;
  va_start(args, format);
  const int length = vprintk(format, args);
  va_end(args);
  return length;
}

void dump_stack() {
  if (!default_system.booted()) return;
  const Platform& platform = default_system.platform();
  uintptr_t frames[kMaxFrames];
  const size_t count = platform.backtrace(frames);
  print_line("Call Trace:\n <TASK>\n");
  for (size_t i = 0; i != count; ++i) {
    char name[160];
    platform.symbolize(frames[i], name);
    print_line(" %s\n", name);
  }
  print_line(" </TASK>\n");
}

void panic(const char* format, ...) {
  char line[kMaxLine];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  print_line("Kernel panic - not syncing: %s\n", line);
  dump_stack();
  stop();
}

void quarry_bug(const char* file, int line) {
  begin_warning();
  print_line("kernel BUG at %s:%d!\n", file, line);
  dump_stack();
  stop();
}

void quarry_warn(const char* file, int line, const char* function) {
  begin_warning();
  finish_warning(file, line, function);
}

void quarry_warn_text(const char* file, int line, const char* function, const char* format, ...) {
  begin_warning();
  va_list args;
  va_start(args, format);
  char text[kMaxLine];
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  const size_t length = strlen(text);
  const bool ended = length != 0 && text[length - 1] == '\n';
  print_line("%s%s", text, ended ? "" : "\n");
  finish_warning(file, line, function);
}

}  // extern "C"

}  // namespace quarry
