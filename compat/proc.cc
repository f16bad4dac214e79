// SPDX-License-Identifier: MIT

// <linux/proc_fs.h>: the default system's texts of /proc, for C.

#include <linux/errno.h>
#include <linux/proc_fs.h>

#include "default_system.h"

namespace quarry {
namespace {

// Keeps what fits and counts all.
class Buffer final : public TextSink {
 public:
  Buffer(char* text, size_t size) : text_(text), room_(size == 0 ? 0 : size - 1) {
    if (size != 0) text_[0] = '\0';
  }
  void write(const char* text, size_t length) override {
    if (length_ < room_) {
      const size_t left = room_ - length_;
      const size_t kept = length < left ? length : left;
      __builtin_memcpy(text_ + length_, text, kept);
      text_[length_ + kept] = '\0';
    }
    length_ += length;
  }
  size_t length() const { return length_; }

 private:
  char* text_;
  size_t room_;
  size_t length_ = 0;
};

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
  Buffer out(buffer, size);
  return default_system.proc_text(name, out) ? static_cast<long>(out.length()) : -ENOENT;
}

int quarry_proc_show(const char* name,
                     void (*write)(void* context, const char* text, size_t length), void* context) {
  Callback out(write, context);
  return default_system.proc_text(name, out) ? 0 : -ENOENT;
}

const char* const* quarry_proc_names(void) { return MemorySystem::proc_names().data(); }

}  // extern "C"

}  // namespace quarry
