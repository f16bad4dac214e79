// SPDX-License-Identifier: MIT
#pragma once

// Accesses that may fault, for tests of what is mapped how.

#include "x86/machine.h"

extern "C" {
bool quarry_probe_load(uintptr_t address, uint32_t* value);
bool quarry_probe_store(uintptr_t address, uint32_t value);
// The instructions that may fault, and where it goes on then.
extern const char quarry_probe_load_at[];
extern const char quarry_probe_store_at[];
extern const char quarry_probe_failed[];
}

namespace quarry {

// False: the access faulted, and last_fault() says how. Any context.
inline bool probe_load(VirtAddr address, uint32_t& value) {
  return quarry_probe_load(address.value(), &value);
}
inline bool probe_store(VirtAddr address, uint32_t value) {
  return quarry_probe_store(address.value(), value);
}
inline const Fault& last_fault() { return this_cpu().last_fault; }

}  // namespace quarry
