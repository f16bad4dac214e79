// SPDX-License-Identifier: MIT
#pragma once

// Array operations as restartable sequences. Layout of struct rseq (rseq(2), linux/rseq.h): cpu_id
// at 4, rseq_cs at 8. A sequence is announced by storing the address of its descriptor
// {version, flags, start, length, abort handler}; the abort handler is preceded by a signature.
// A thread that is not registered has cpu_id -1: (-1 + 1) * stride leads it to the array at base,
// which has capacity 0.
//
// Base and stride are memory operands, read inside the sequence: one that starts again after the
// stride became 0 must not go on with the stride it knew.

#include "port_arch.h"

namespace quarry {

// "?" puts the sections into the group of the function's own, so that the linker drops all of a
// second copy of an inline function and not only its code.
//
// Descriptor 3, start 1, end 2, abort handler 4: leads to the C label `again`.
#define QUARRY_RSEQ_BEGIN                           \
  ".pushsection __rseq_cs, \"aw?\"\n\t"             \
  ".balign 32\n"                                    \
  "3:\n\t.long 0, 0\n\t.quad 1f, (2f - 1f), 4f\n\t" \
  ".popsection\n\t"                                 \
  "leaq 3b(%%rip), %[t]\n\t"                        \
  "movq %[t], %%fs:8(%[rs])\n"                      \
  "1:\n\t"                                          \
  "movl %%fs:4(%[rs]), %k[t]\n\t"                   \
  "incl %k[t]\n\t"                                  \
  "imulq %[stride], %[t]\n\t"                       \
  "addq %[base], %[t]\n\t"                          \
  "addq %[offset], %[t]\n\t"
#define QUARRY_RSEQ_END                          \
  "2:\n\t"                                       \
  ".pushsection __rseq_failure, \"ax?\"\n\t"     \
  ".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053\n" \
  "4:\n\tjmp %l[again]\n\t"                      \
  ".popsection"

// Only `again` and the ends of push() are C labels: GCC 12 loses what a label's code returns when
// the asm has outputs that are used after it. An empty array leaves by the end label, result zero.

inline void* Arch::pop(const quarry_arrays& arrays, uintptr_t offset) {
  uintptr_t t;
  uintptr_t c;
  void* object;
again:
  asm volatile goto(QUARRY_RSEQ_BEGIN
                    "movl (%[t]), %k[c]\n\t"
                    "xorl %k[object], %k[object]\n\t"
                    "subl $1, %k[c]\n\t"
                    "jc 2f\n\t"
                    "movq 16(%[t], %[c], 8), %[object]\n\t"
                    "movl %k[c], (%[t])\n" QUARRY_RSEQ_END
                    : [t] "=&r"(t), [c] "=&r"(c), [object] "=&r"(object)
                    : [rs] "r"(quarry_hosted_rseq_offset), [base] "m"(arrays.base),
                      [stride] "m"(arrays.stride), [offset] "er"(offset)
                    : "memory", "cc"
                    : again);
  return object;
}

inline PushResult Arch::push(const quarry_arrays& arrays, uintptr_t offset, void* object,
                             uint32_t node) {
  uintptr_t t;
  uintptr_t c;
again:
  // In an empty array, the word before the first entry is the header's, which is no object.
  asm volatile goto(
      QUARRY_RSEQ_BEGIN
      "movl (%[t]), %k[c]\n\t"
      "cmpq %[object], 8(%[t], %[c], 8)\n\t"
      "je %l[twice]\n\t"
      "cmpl 4(%[t]), %k[c]\n\t"
      "jae %l[refused]\n\t"
      "cmpl %[node], 8(%[t])\n\t"
      "jne %l[refused]\n\t"
      "movq %[object], 16(%[t], %[c], 8)\n\t"
      "incl %k[c]\n\t"
      "movl %k[c], (%[t])\n" QUARRY_RSEQ_END
      : [t] "=&r"(t), [c] "=&r"(c)
      : [rs] "r"(quarry_hosted_rseq_offset), [base] "m"(arrays.base), [stride] "m"(arrays.stride),
        [offset] "er"(offset), [object] "r"(object), [node] "r"(node)
      : "memory", "cc"
      : again, refused, twice);
  return PushResult{0};
refused:
  return PushResult{1};
twice:
  return PushResult{2};
}

inline uint32_t Arch::pop_many(const quarry_arrays& arrays, uintptr_t offset, void** objects,
                               uint32_t count) {
  uintptr_t t;
  uintptr_t c;
  uintptr_t n;
  uintptr_t x;
again:
  // n = min(count, entries); c walks from the end of what stays to the top, then goes back.
  asm volatile goto(
      QUARRY_RSEQ_BEGIN
      "movl (%[t]), %k[c]\n\t"
      "movl %[count], %k[n]\n\t"
      "cmpl %k[c], %k[n]\n\t"
      "cmoval %k[c], %k[n]\n\t"
      "subl %k[n], %k[c]\n\t"
      "xorl %k[n], %k[n]\n"
      "5:\n\t"
      "cmpl (%[t]), %k[c]\n\t"
      "jae 6f\n\t"
      "movq 16(%[t], %[c], 8), %[x]\n\t"
      "movq %[x], (%[objects], %[n], 8)\n\t"
      "incl %k[n]\n\t"
      "incl %k[c]\n\t"
      "jmp 5b\n"
      "6:\n\t"
      "subl %k[n], %k[c]\n\t"
      "movl %k[c], (%[t])\n" QUARRY_RSEQ_END
      : [t] "=&r"(t), [c] "=&r"(c), [n] "=&r"(n), [x] "=&r"(x)
      : [rs] "r"(quarry_hosted_rseq_offset), [base] "m"(arrays.base), [stride] "m"(arrays.stride),
        [offset] "er"(offset), [objects] "r"(objects), [count] "r"(count)
      : "memory", "cc"
      : again);
  return static_cast<uint32_t>(n);
}

inline uint32_t Arch::push_many(const quarry_arrays& arrays, uintptr_t offset, void* const* objects,
                                uint32_t count, uint32_t node) {
  uintptr_t t;
  uintptr_t c;
  uintptr_t n;
  uintptr_t x;
again:
  // Slots above the count are nobody's until it is stored.
  asm volatile goto(
      QUARRY_RSEQ_BEGIN
      "movl (%[t]), %k[c]\n\t"
      "xorl %k[n], %k[n]\n\t"
      "cmpl %[node], 8(%[t])\n\t"
      "jne 2f\n"
      "5:\n\t"
      "cmpl %[count], %k[n]\n\t"
      "jae 6f\n\t"
      "cmpl 4(%[t]), %k[c]\n\t"
      "jae 6f\n\t"
      "movq (%[objects], %[n], 8), %[x]\n\t"
      "movq %[x], 16(%[t], %[c], 8)\n\t"
      "incl %k[n]\n\t"
      "incl %k[c]\n\t"
      "jmp 5b\n"
      "6:\n\t"
      "movl %k[c], (%[t])\n" QUARRY_RSEQ_END
      : [t] "=&r"(t), [c] "=&r"(c), [n] "=&r"(n), [x] "=&r"(x)
      : [rs] "r"(quarry_hosted_rseq_offset), [base] "m"(arrays.base), [stride] "m"(arrays.stride),
        [offset] "er"(offset), [objects] "r"(objects), [count] "r"(count), [node] "r"(node)
      : "memory", "cc"
      : again);
  return static_cast<uint32_t>(n);
}

#undef QUARRY_RSEQ_BEGIN
#undef QUARRY_RSEQ_END

}  // namespace quarry
