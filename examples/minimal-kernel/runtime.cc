// SPDX-License-Identifier: MIT

// What the linker asks for: the compiler's own calls, and what Quarry leaves to the kernel. String
// instructions, because the compiler would make a loop a call of the function that it stands in.

#include <quarry/text_sink.h>
#include <quarry/x86_cpu.h>

#include "machine.h"

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
  void* at = to;
  asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}

void* memmove(void* to, const void* from, size_t bytes) {
  if (uintptr_t(to) - uintptr_t(from) >= bytes) return memcpy(to, from, bytes);
  // The end overlaps what is still to be read, so it goes first.
  void* at = static_cast<char*>(to) + bytes - 1;
  from = static_cast<const char*>(from) + bytes - 1;
  asm volatile("std\n\trep movsb\n\tcld" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}

void* memset(void* to, int value, size_t bytes) {
  void* at = to;
  asm volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
  return to;
}

int memcmp(const void* a, const void* b, size_t bytes) {
  const auto* const left = static_cast<const unsigned char*>(a);
  const auto* const right = static_cast<const unsigned char*>(b);
  for (size_t i = 0; i != bytes; ++i) {
    if (left[i] != right[i]) return left[i] - right[i];
  }
  return 0;
}

void __cxa_pure_virtual() { die("a pure virtual function was called"); }

// Who spins waits for another CPU, and here there is none.
void quarry_bare_relax() {}

}  // extern "C"

namespace quarry {

// The library has one of its own, which only traps.
void check_failed(const char* expression, const char* file, int line) {
  FixedText<512> message;
  format(message, "%s:%d: %s", file, line, expression);
  die(message.c_str());
}

}  // namespace quarry
