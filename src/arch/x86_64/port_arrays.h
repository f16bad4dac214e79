// SPDX-License-Identifier: MIT
#pragma once

// Array operations without interrupts off: the port's interrupt entry sends a sequence that it
// interrupted back to its start. Every sequence leaves a RestartableSequence in the section
// quarry_sequences, whose bounds are for the port's linker script to name.
//
// What an interrupt entry has to do, before anything else may use arrays: if the interrupted
// instruction pointer is in [start, end) of one of them, replace it by start. At end the store that
// ends the sequence has happened.

#include <cstddef>
#include <cstdint>

#include "arch/x86/x86_arch.h"

namespace quarry {

struct RestartableSequence {
  uintptr_t start;
  uintptr_t end;
};

}  // namespace quarry

#define QUARRY_SEQUENCE_BEGIN                 \
  ".pushsection quarry_sequences, \"a?\"\n\t" \
  ".balign 16\n\t.quad 1f, 2f\n\t"            \
  ".popsection\n"                             \
  "1:\n\t"                                    \
  "movl %%gs:%c[row], %k[t]\n\t"
#define QUARRY_SEQUENCE_END "2:\n\t"
#define QUARRY_SEQUENCE_OPERANDS [row] "i"(kCpuBlockRowOffset),

#include "arch/x86/array_sequences.h"

#undef QUARRY_SEQUENCE_BEGIN
#undef QUARRY_SEQUENCE_END
#undef QUARRY_SEQUENCE_OPERANDS
