// SPDX-License-Identifier: MIT
#pragma once

// The operations on the running CPU's array as restartable sequences of x86-64: whoever interrupts
// one, or migrates it to another CPU, sends it back to its start, so the single store that ends it
// needs neither a lock, nor an atomic instruction, nor interrupts off.
//
// The includer defines what differs between machines:
//   QUARRY_SEQUENCE_BEGIN      announces the sequence and leaves the CPU's number + 1 in %[t]
//   QUARRY_SEQUENCE_END        after the store that ends it
//   QUARRY_SEQUENCE_OPERANDS   input operands of the two, with a comma after each
// BEGIN starts the sequence at label 1, END ends it at label 2; the C label `again` leads to the
// start. Inputs keep their registers throughout.
//
// Base and stride are memory operands, read inside the sequence: one that starts again after the
// stride became 0 must not go on with the stride it knew.

#include "arch/array_ops.h"
#include "quarry/abi/array.h"

namespace quarry {

#define QUARRY_SEQUENCE_FIND  \
  QUARRY_SEQUENCE_BEGIN       \
  "imulq %[stride], %[t]\n\t" \
  "addq %[base], %[t]\n\t"    \
  "addq %[offset], %[t]\n\t"

// Only `again` and the ends of push() are C labels: GCC 12 loses what a label's code returns when
// the asm has outputs that are used after it. An empty array leaves by the end label, result zero.
struct ArraySequences {
  static void* pop(const quarry_arrays& arrays, uintptr_t offset) {
    uintptr_t t;
    uintptr_t c;
    void* object;
  again:
    asm volatile goto(QUARRY_SEQUENCE_FIND
                      "movl (%[t]), %k[c]\n\t"
                      "xorl %k[object], %k[object]\n\t"
                      "subl $1, %k[c]\n\t"
                      "jc 2f\n\t"
                      "movq 16(%[t], %[c], 8), %[object]\n\t"
                      "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
                      : [t] "=&r"(t), [c] "=&r"(c), [object] "=&r"(object)
                      : QUARRY_SEQUENCE_OPERANDS[base] "m"(arrays.base),
                        [stride] "m"(arrays.stride), [offset] "er"(offset)
                      : "memory", "cc"
                      : again);
    return object;
  }

  static PushResult push(const quarry_arrays& arrays, uintptr_t offset, void* object,
                         uint32_t node) {
    uintptr_t t;
    uintptr_t c;
  again:
    // In an empty array, the word before the first entry is the header's, which is no object.
    asm volatile goto(
        QUARRY_SEQUENCE_FIND
        "movl (%[t]), %k[c]\n\t"
        "cmpq %[object], 8(%[t], %[c], 8)\n\t"
        "je %l[twice]\n\t"
        "cmpl 4(%[t]), %k[c]\n\t"
        "jae %l[refused]\n\t"
        "cmpl %[node], 8(%[t])\n\t"
        "jne %l[refused]\n\t"
        "movq %[object], 16(%[t], %[c], 8)\n\t"
        "incl %k[c]\n\t"
        "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
        : [t] "=&r"(t), [c] "=&r"(c)
        : QUARRY_SEQUENCE_OPERANDS[base] "m"(arrays.base), [stride] "m"(arrays.stride),
          [offset] "er"(offset), [object] "r"(object), [node] "r"(node)
        : "memory", "cc"
        : again, refused, twice);
    return PushResult{0};
  refused:
    return PushResult{1};
  twice:
    return PushResult{2};
  }

  static uint32_t pop_many(const quarry_arrays& arrays, uintptr_t offset, void** objects,
                           uint32_t count) {
    uintptr_t t;
    uintptr_t c;
    uintptr_t n;
    uintptr_t x;
  again:
    // n = min(count, entries); c walks from the end of what stays to the top, then goes back.
    asm volatile goto(
        QUARRY_SEQUENCE_FIND
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
        "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
        : [t] "=&r"(t), [c] "=&r"(c), [n] "=&r"(n), [x] "=&r"(x)
        : QUARRY_SEQUENCE_OPERANDS[base] "m"(arrays.base), [stride] "m"(arrays.stride),
          [offset] "er"(offset), [objects] "r"(objects), [count] "r"(count)
        : "memory", "cc"
        : again);
    return static_cast<uint32_t>(n);
  }

  static uint32_t push_many(const quarry_arrays& arrays, uintptr_t offset, void* const* objects,
                            uint32_t count, uint32_t node) {
    uintptr_t t;
    uintptr_t c;
    uintptr_t n;
    uintptr_t x;
  again:
    // Slots above the count are nobody's until it is stored.
    asm volatile goto(
        QUARRY_SEQUENCE_FIND
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
        "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
        : [t] "=&r"(t), [c] "=&r"(c), [n] "=&r"(n), [x] "=&r"(x)
        : QUARRY_SEQUENCE_OPERANDS[base] "m"(arrays.base), [stride] "m"(arrays.stride),
          [offset] "er"(offset), [objects] "r"(objects), [count] "r"(count), [node] "r"(node)
        : "memory", "cc"
        : again);
    return static_cast<uint32_t>(n);
  }
};

#undef QUARRY_SEQUENCE_FIND

}  // namespace quarry
