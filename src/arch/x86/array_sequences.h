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
// BEGIN starts the sequence at label 1, END ends it at label 2. Inputs keep their registers
// throughout.
//
// Base and stride are in memory, read inside the sequence: one that starts again after the stride
// became 0 must not go on with the stride it knew.

#include <cstddef>
#include <cstdint>

#include "arch/array_ops.h"
#include "quarry/abi/array.h"

namespace quarry {

// Both words of a quarry_arrays are found by one operand, so that an object with a fixed address
// needs no register.
#define QUARRY_SEQUENCE_FIND   \
  QUARRY_SEQUENCE_BEGIN        \
  "imulq %H[arrays], %[t]\n\t" \
  "addq %[arrays], %[t]\n\t"   \
  "addq %[offset], %[t]\n\t"
static_assert(offsetof(quarry_arrays, base) == 0 && offsetof(quarry_arrays, stride) == 8);
static_assert(offsetof(quarry_array, count) == 0 && offsetof(quarry_array, capacity) == 4 &&
              offsetof(quarry_array, node) == 8 && offsetof(quarry_array, slot) == 16);

struct ArraySequences {
  static void* pop(const quarry_arrays& arrays, uintptr_t offset) {
    uintptr_t t;
    uintptr_t c;
    void* object;
    bool empty;
    asm volatile(QUARRY_SEQUENCE_FIND
                 "movl (%[t]), %k[c]\n\t"
                 "subl $1, %k[c]\n\t"
                 "jc 2f\n\t"
                 "movq 16(%[t], %[c], 8), %[object]\n\t"
                 "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
                 : [t] "=&r"(t), [c] "=&r"(c), [object] "=&r"(object), "=@ccc"(empty)
                 : QUARRY_SEQUENCE_OPERANDS[arrays] "m"(arrays), [offset] "er"(offset)
                 : "memory");
    if (empty) return nullptr;
    if (object == nullptr) __builtin_unreachable();  // null is never pushed
    return object;
  }

  static PushResult push(const quarry_arrays& arrays, uintptr_t offset, void* object,
                         uint32_t node) {
    uintptr_t t;
    uintptr_t c;
    // In an empty array, the word before the first entry is the header's, which is no object.
    asm volatile goto(QUARRY_SEQUENCE_FIND
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
                      : QUARRY_SEQUENCE_OPERANDS[arrays] "m"(arrays), [offset] "er"(offset),
                        [object] "r"(object), [node] "r"(node)
                      : "memory", "cc"
                      : refused, twice);
    return PushResult::kPushed;
  refused:
    return PushResult::kRefused;
  twice:
    return PushResult::kTwice;
  }

  static uint32_t pop_many(const quarry_arrays& arrays, uintptr_t offset, void** objects,
                           uint32_t count) {
    uintptr_t t;
    uintptr_t c;
    uintptr_t n;
    uintptr_t i;
    uintptr_t from;
    uintptr_t x;
    // n = min(count, entries), c: entries that stay. Copied from the top down, two at a time once
    // their number is even.
    asm volatile(
        QUARRY_SEQUENCE_FIND
        "movl (%[t]), %k[c]\n\t"
        "movl %[count], %k[n]\n\t"
        "cmpl %k[c], %k[n]\n\t"
        "cmoval %k[c], %k[n]\n\t"
        "movl %k[n], %k[i]\n\t"
        "testl %k[n], %k[n]\n\t"
        "jz 2f\n\t"
        "subl %k[n], %k[c]\n\t"
        "leaq 8(%[t], %[c], 8), %[from]\n\t"
        "testl $1, %k[i]\n\t"
        "jz 5f\n\t"
        "movq (%[from], %[i], 8), %[x]\n\t"
        "movq %[x], -8(%[objects], %[i], 8)\n\t"
        "decl %k[i]\n\t"
        "jz 6f\n"
        "5:\n\t"
        "movq (%[from], %[i], 8), %[x]\n\t"
        "movq %[x], -8(%[objects], %[i], 8)\n\t"
        "movq -8(%[from], %[i], 8), %[x]\n\t"
        "movq %[x], -16(%[objects], %[i], 8)\n\t"
        "subl $2, %k[i]\n\t"
        "jnz 5b\n"
        "6:\n\t"
        "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
        : [t] "=&r"(t), [c] "=&r"(c), [n] "=&r"(n), [i] "=&r"(i), [from] "=&r"(from), [x] "=&r"(x)
        : QUARRY_SEQUENCE_OPERANDS[arrays] "m"(arrays), [offset] "er"(offset),
          [objects] "r"(objects), [count] "r"(count)
        : "memory", "cc");
    return static_cast<uint32_t>(n);
  }

  static uint32_t push_many(const quarry_arrays& arrays, uintptr_t offset, void* const* objects,
                            uint32_t count, uint32_t node) {
    uintptr_t t;
    uintptr_t c;
    uintptr_t n;
    uintptr_t i;
    uintptr_t to;
    uintptr_t x;
    // n = min(count, room). Slots above the count are nobody's until it is stored.
    asm volatile(
        QUARRY_SEQUENCE_FIND
        "xorl %k[n], %k[n]\n\t"
        "cmpl %[node], 8(%[t])\n\t"
        "jne 2f\n\t"
        "movl (%[t]), %k[c]\n\t"
        "movl 4(%[t]), %k[i]\n\t"
        "subl %k[c], %k[i]\n\t"
        "jbe 2f\n\t"
        "movl %[count], %k[n]\n\t"
        "cmpl %k[i], %k[n]\n\t"
        "cmoval %k[i], %k[n]\n\t"
        "movl %k[n], %k[i]\n\t"
        "testl %k[n], %k[n]\n\t"
        "jz 2f\n\t"
        "leaq 8(%[t], %[c], 8), %[to]\n\t"
        "testl $1, %k[i]\n\t"
        "jz 5f\n\t"
        "movq -8(%[objects], %[i], 8), %[x]\n\t"
        "movq %[x], (%[to], %[i], 8)\n\t"
        "decl %k[i]\n\t"
        "jz 6f\n"
        "5:\n\t"
        "movq -8(%[objects], %[i], 8), %[x]\n\t"
        "movq %[x], (%[to], %[i], 8)\n\t"
        "movq -16(%[objects], %[i], 8), %[x]\n\t"
        "movq %[x], -8(%[to], %[i], 8)\n\t"
        "subl $2, %k[i]\n\t"
        "jnz 5b\n"
        "6:\n\t"
        "addl %k[n], %k[c]\n\t"
        "movl %k[c], (%[t])\n" QUARRY_SEQUENCE_END
        : [t] "=&r"(t), [c] "=&r"(c), [n] "=&r"(n), [i] "=&r"(i), [to] "=&r"(to), [x] "=&r"(x)
        : QUARRY_SEQUENCE_OPERANDS[arrays] "m"(arrays), [offset] "er"(offset),
          [objects] "r"(objects), [count] "r"(count), [node] "r"(node)
        : "memory", "cc");
    return static_cast<uint32_t>(n);
  }
};

#undef QUARRY_SEQUENCE_FIND

}  // namespace quarry
