// SPDX-License-Identifier: MIT

// The public calls about failures on demand.

#include "system/core.h"

namespace quarry {

FaultParameters MemorySystem::failslab() const {
  return Core::of(*this).kmem.fault_injector().parameters();
}

void MemorySystem::set_failslab(const FaultParameters& parameters) {
  Core::of(*this).kmem.set_fault_parameters(parameters);
}

void MemorySystem::cache_choose_for_failslab(KmemCache* cache, bool chosen) {
  Kmem::choose_for_failslab(*cache, chosen);
}

FaultParameters MemorySystem::fail_page_alloc() const {
  return Core::of(*this).pages.fault_injector().parameters();
}

void MemorySystem::set_fail_page_alloc(const FaultParameters& parameters) {
  Core::of(*this).pages.set_fault_parameters(parameters);
}

}  // namespace quarry
