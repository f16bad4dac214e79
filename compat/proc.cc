// SPDX-License-Identifier: MIT

// <linux/proc_fs.h>: the default system's texts of /proc, for C.

#include <linux/errno.h>
#include <linux/proc_fs.h>

#include "default_system.h"
#include "text_buffer.h"
#include "write_result.h"

namespace quarry {
namespace {

class Callback final : public TextSink {
 public:
  using Write = void (*)(void* context, const char* text, size_t length);
  Callback(Write call, void* context) : write_(call), context_(context) {}
  void write(const char* text, size_t length) override { write_(context_, text, length); }

 private:
  Write write_;
  void* context_;
};

}  // namespace

extern "C" {

long quarry_proc_read(const char* name, char* buffer, size_t size) {
  TextBuffer out(buffer, size);
  return default_system.proc_text(name, out) ? static_cast<long>(out.length()) : -ENOENT;
}

int quarry_proc_show(const char* name,
                     void (*write)(void* context, const char* text, size_t length), void* context) {
  Callback out(write, context);
  return default_system.proc_text(name, out) ? 0 : -ENOENT;
}

long quarry_proc_write(const char* name, const char* text, size_t bytes) {
  return write_result(default_system.write_proc_text(name, {text, bytes}), bytes);
}

const char* const* quarry_proc_names(void) { return MemorySystem::proc_names().data(); }

}  // extern "C"

}  // namespace quarry
