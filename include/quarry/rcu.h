// SPDX-License-Identifier: MIT
#pragma once

// Readers of data that others replace and free meanwhile. What a section can see when it begins
// stays as long as it lasts, if whoever takes it away frees it by kvfree_deferred(), call_rcu() or
// after synchronize_rcu() (memory_system.h). Sections wait for nobody.
//
//   RcuReadGuard guard(system);
//   const Entry* entry = current.load(std::memory_order_acquire);

#include "quarry/memory_system.h"

namespace quarry {

// A section for the lifetime of the guard. Any context; inside, nothing may sleep. Sections nest.
class RcuReadGuard {
 public:
  explicit RcuReadGuard(MemorySystem& system);
  ~RcuReadGuard();
  RcuReadGuard(const RcuReadGuard&) = delete;
  RcuReadGuard& operator=(const RcuReadGuard&) = delete;

 private:
  MemorySystem& system_;
  uint32_t token_;
};

}  // namespace quarry
