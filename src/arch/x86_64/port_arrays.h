// SPDX-License-Identifier: MIT
#pragma once

// Array operations without interrupts off: the port's interrupt entry sends a sequence that it
// interrupted back to its start. Every sequence leaves a RestartableSequence in the section
// quarry_sequences, whose bounds are for the port's linker script to name.

#include "quarry/x86_cpu.h"

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
