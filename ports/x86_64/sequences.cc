// SPDX-License-Identifier: MIT
#include "arch/arch.h"
#include "port_trap.h"

// From the linker script.
extern const quarry::RestartableSequence quarry_sequences_start[];
extern const quarry::RestartableSequence quarry_sequences_end[];

namespace quarry {

uintptr_t resume_address(uintptr_t ip) {
  for (const RestartableSequence* at = quarry_sequences_start; at != quarry_sequences_end; ++at) {
    if (ip - at->start < at->end - at->start) return at->start;
  }
  return ip;
}

}  // namespace quarry
