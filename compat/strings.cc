// SPDX-License-Identifier: MIT

// Copies and formatted strings in kmalloc memory (linux/string.h, linux/kernel.h).

#include <linux/kernel.h>
#include <linux/string.h>
#include <stdio.h>

#include "default_system.h"

namespace quarry {
namespace {

// Room for a NUL behind the bytes is added; null also if that overflows.
char* copy_text(const char* source, size_t length, gfp_t gfp, uintptr_t place) {
  size_t bytes = 0;
  if (source == nullptr || __builtin_add_overflow(length, 1, &bytes)) return nullptr;
  auto* const copy = static_cast<char*>(default_core().kmem.kmalloc(bytes, Gfp(gfp), place));
  if (copy == nullptr) return nullptr;
  memcpy(copy, source, length);
  copy[length] = '\0';
  return copy;
}

}  // namespace

extern "C" {

ssize_t strscpy(char* to, const char* from, size_t room) {
  if (room == 0) return -E2BIG;
  const size_t length = strnlen(from, room);
  const size_t copied = length == room ? room - 1 : length;
  memcpy(to, from, copied);
  to[copied] = '\0';
  return length == room ? -E2BIG : static_cast<ssize_t>(length);
}

char* kstrdup(const char* text, gfp_t gfp) {
  return text == nullptr ? nullptr : copy_text(text, strlen(text), gfp, QUARRY_PLACE);
}

char* kstrndup(const char* text, size_t most, gfp_t gfp) {
  return text == nullptr ? nullptr : copy_text(text, strnlen(text, most), gfp, QUARRY_PLACE);
}

void* kmemdup(const void* source, size_t bytes, gfp_t gfp) {
  if (source == nullptr) return nullptr;
  void* const copy = default_core().kmem.kmalloc(bytes, Gfp(gfp), QUARRY_PLACE);
  if (copy != nullptr) memcpy(copy, source, bytes);
  return copy;
}

char* kmemdup_nul(const char* source, size_t bytes, gfp_t gfp) {
  return copy_text(source, bytes, gfp, QUARRY_PLACE);
}

const char* kstrdup_const(const char* text, gfp_t gfp) {
  return text == nullptr ? nullptr : copy_text(text, strlen(text), gfp, QUARRY_PLACE);
}

void kfree_const(const void* text) { default_core().kmem.kfree(text, QUARRY_PLACE); }

char* kvasprintf(gfp_t gfp, const char* format, va_list args) {
  va_list again;
  va_copy(again, args);
  const int length = vsnprintf(nullptr, 0, format, args);
  char* text = nullptr;
  if (length >= 0) {
    const size_t bytes = static_cast<size_t>(length) + 1;
    text = static_cast<char*>(default_core().kmem.kmalloc(bytes, Gfp(gfp), QUARRY_PLACE));
    if (text != nullptr) vsnprintf(text, bytes, format, again);
  }
  va_end(again);
  return text;
}

char* kasprintf(gfp_t gfp, const char* format, ...) {
  va_list args;
  va_start(args, format);
  char* const text = kvasprintf(gfp, format, args);
  va_end(args);
  return text;
}

}  // extern "C"

}  // namespace quarry
