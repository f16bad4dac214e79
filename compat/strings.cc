// SPDX-License-Identifier: MIT

// Copies and formatted strings in kmalloc memory (linux/string.h, linux/kernel.h).

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <stdio.h>

#include "default_system.h"
#include "world.h"

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

void* copy_bytes(const void* source, size_t bytes, gfp_t gfp, uintptr_t place) {
  if (source == nullptr) return nullptr;
  void* const copy = default_core().kmem.kmalloc(bytes, Gfp(gfp), place);
  // No bytes are copied to what kmalloc(0) gives.
  if (copy != nullptr && bytes != 0) memcpy(copy, source, bytes);
  return copy;
}

void* or_no_memory(void* copy) { return copy != nullptr ? copy : ERR_PTR(-ENOMEM); }

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

char* kstrdup_quotable(const char* source, gfp_t gfp) {
  if (source == nullptr) return nullptr;
  const auto must_be_quoted = [](char c) {
    return c != '\0' && strchr("\f\n\r\t\v\a\x1b\\\"", c) != nullptr;
  };
  size_t bytes = 1;
  for (const char* c = source; *c != '\0'; ++c) bytes += must_be_quoted(*c) ? 4 : 1;
  auto* const copy = static_cast<char*>(default_core().kmem.kmalloc(bytes, Gfp(gfp), QUARRY_PLACE));
  if (copy == nullptr) return nullptr;
  char* end = copy;
  for (const char* c = source; *c != '\0'; ++c) {
    if (must_be_quoted(*c)) {
      end += snprintf(end, 5, "\\x%02x", static_cast<unsigned char>(*c));
    } else {
      *end++ = *c;
    }
  }
  *end = '\0';
  return copy;
}

void* kmemdup(const void* source, size_t bytes, gfp_t gfp) {
  return copy_bytes(source, bytes, gfp, QUARRY_PLACE);
}

char* kmemdup_nul(const char* source, size_t bytes, gfp_t gfp) {
  return copy_text(source, bytes, gfp, QUARRY_PLACE);
}

const char* kstrdup_const(const char* text, gfp_t gfp) {
  if (text == nullptr || is_constant(text)) return text;
  return copy_text(text, strlen(text), gfp, QUARRY_PLACE);
}

void kfree_const(const void* text) {
  if (!is_constant(text)) default_core().kmem.kfree(text, QUARRY_PLACE);
}

void* kmemdup_array(const void* source, size_t count, size_t bytes, gfp_t gfp) {
  return copy_bytes(source, size_mul(count, bytes), gfp, QUARRY_PLACE);
}

void* kvmemdup(const void* source, size_t bytes, gfp_t gfp) {
  if (source == nullptr) return nullptr;
  void* const copy = default_core().vmalloc.kvmalloc(bytes, Gfp(gfp), kNoNode, QUARRY_PLACE);
  if (copy != nullptr) memcpy(copy, source, bytes);
  return copy;
}

void* memdup_user(const void* source, size_t bytes) {
  return or_no_memory(copy_bytes(source, bytes, GFP_USER | __GFP_NOWARN, QUARRY_PLACE));
}

void* vmemdup_user(const void* source, size_t bytes) {
  return or_no_memory(kvmemdup(source, bytes, GFP_USER));
}

void* memdup_user_nul(const void* source, size_t bytes) {
  return or_no_memory(copy_text(static_cast<const char*>(source), bytes, GFP_USER, QUARRY_PLACE));
}

char* strndup_user(const char* text, long most) {
  const size_t room = most < 0 ? 0 : static_cast<size_t>(most);
  const size_t length = strnlen(text, room);
  if (length == room) return static_cast<char*>(ERR_PTR(-EINVAL));
  return static_cast<char*>(or_no_memory(copy_text(text, length, GFP_USER, QUARRY_PLACE)));
}

void kfree_strarray(char** array, size_t count) {
  if (array == nullptr) return;
  for (size_t i = 0; i != count; ++i) kfree(array[i]);
  kfree(array);
}

char** kasprintf_strarray(gfp_t gfp, const char* prefix, size_t count) {
  auto** const array = static_cast<char**>(kcalloc(size_add(count, 1), sizeof(char*), gfp));
  if (array == nullptr) return nullptr;
  for (size_t i = 0; i != count; ++i) {
    array[i] = kasprintf(gfp, "%s-%zu", prefix, i);
    if (array[i] != nullptr) continue;
    kfree_strarray(array, i);
    return nullptr;
  }
  return array;
}

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

const char* kvasprintf_const(gfp_t gfp, const char* format, va_list args) {
  if (strchr(format, '%') == nullptr) return kstrdup_const(format, gfp);
  if (strcmp(format, "%s") == 0) return kstrdup_const(va_arg(args, const char*), gfp);
  return kvasprintf(gfp, format, args);
}

const char* kasprintf_const(gfp_t gfp, const char* format, ...) {
  va_list args;
  va_start(args, format);
  const char* const text = kvasprintf_const(gfp, format, args);
  va_end(args);
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
