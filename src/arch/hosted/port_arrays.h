// SPDX-License-Identifier: MIT
#pragma once

// Array operations by rseq(2). Layout of struct rseq (linux/rseq.h): cpu_id at 4, rseq_cs at 8. A
// sequence is announced by storing the address of its descriptor {version, flags, start, length,
// abort handler}; the abort handler is preceded by a signature. A thread that is not registered has
// cpu_id -1: (-1 + 1) * stride leads it to the array at base, which has capacity 0.

#include <cstddef>

extern "C" {
// Offset of a thread's rseq area from its thread pointer: the C library's __rseq_offset, copied by
// the port before it opens a machine, because reading the original takes two loads.
extern std::ptrdiff_t quarry_hosted_rseq_offset __attribute__((visibility("hidden")));
}

// "?" puts the sections into the group of the function's own, so that the linker drops all of a
// second copy of an inline function and not only its code.
//
// Descriptor 3, start 1, end 2, abort handler 4, which goes back to 9 to announce it again.
#define QUARRY_SEQUENCE_BEGIN                       \
  ".pushsection __rseq_cs, \"aw?\"\n\t"             \
  ".balign 32\n"                                    \
  "3:\n\t.long 0, 0\n\t.quad 1f, (2f - 1f), 4f\n\t" \
  ".popsection\n\t"                                 \
  "9:\n\t"                                          \
  "leaq 3b(%%rip), %[t]\n\t"                        \
  "movq %[t], %%fs:8(%[rs])\n"                      \
  "1:\n\t"                                          \
  "movl %%fs:4(%[rs]), %k[t]\n\t"                   \
  "incl %k[t]\n\t"
#define QUARRY_SEQUENCE_END                      \
  "2:\n\t"                                       \
  ".pushsection __rseq_failure, \"ax?\"\n\t"     \
  ".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053\n" \
  "4:\n\tjmp 9b\n\t"                             \
  ".popsection"
#define QUARRY_SEQUENCE_OPERANDS [rs] "r"(quarry_hosted_rseq_offset),

#include "arch/x86/array_sequences.h"

#undef QUARRY_SEQUENCE_BEGIN
#undef QUARRY_SEQUENCE_END
#undef QUARRY_SEQUENCE_OPERANDS
