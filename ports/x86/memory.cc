// SPDX-License-Identifier: MIT

// The functions that a compiler takes for granted, and what ends in no return: the call of a pure
// virtual function, and an index that a std::string_view has not. String instructions, whole words
// first: on x86 that is as fast as it gets without vector registers, and the compiler cannot take
// them for a call of the function that they stand in.

#include <cstddef>
#include <cstdint>

#include "x86/report.h"

namespace quarry {
namespace {

constexpr bool kWide = sizeof(uintptr_t) == 8;

void move_words(void*& to, const void*& from, size_t words) {
  if constexpr (kWide) {
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  } else {
    asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  }
}

void store_words(void*& to, uintptr_t word, size_t words) {
  if constexpr (kWide) {
    asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(word) : "memory");
  } else {
    asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(word) : "memory");
  }
}

}  // namespace
}  // namespace quarry

namespace std {

[[noreturn]] void __throw_out_of_range_fmt(const char* format, ...) { quarry::die(format); }

}  // namespace std

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
  void* at = to;
  quarry::move_words(at, from, bytes / sizeof(uintptr_t));
  size_t rest = bytes % sizeof(uintptr_t);
  asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
  return to;
}

void* memmove(void* to, const void* from, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from) >= bytes) {
    return memcpy(to, from, bytes);
  }
  // The target overlaps what is still to be read, so the last byte goes first.
  void* at = static_cast<char*>(to) + bytes - 1;
  from = static_cast<const char*>(from) + bytes - 1;
  asm volatile("std\n\trep movsb\n\tcld" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}

void* memset(void* to, int value, size_t bytes) {
  void* at = to;
  const uintptr_t word = (~uintptr_t{0} / 0xff) * static_cast<unsigned char>(value);
  quarry::store_words(at, word, bytes / sizeof(uintptr_t));
  size_t rest = bytes % sizeof(uintptr_t);
  asm volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(value) : "memory");
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

void* memchr(const void* bytes, int value, size_t count) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; count != 0; --count, ++at) {
    if (*at == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at);
  }
  return nullptr;
}

size_t strlen(const char* text) {
  const char* end = text;
  // Volatile: or the loop would be made a call of strlen.
  while (*static_cast<const volatile char*>(end) != '\0') ++end;
  return static_cast<size_t>(end - text);
}

void __cxa_pure_virtual() { quarry::die("a pure virtual function was called"); }

}  // extern "C"
