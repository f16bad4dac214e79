// SPDX-License-Identifier: MIT
#pragma once

// Process, softirq, hardirq and NMI context, and atomic sections inside them, as in Linux: a caller
// may sleep only in process context with no spin lock held, preemption enabled and interrupts on.
// Every change of a depth recomputes quarry_context::forbidden_gfp, which is all that the
// allocation paths look at.

#include "arch/arch.h"
#include "quarry/abi/gfp.h"

namespace quarry {

inline bool may_sleep(const quarry_context& context) {
  return (context.atomic_depth | context.irq_off_depth | context.softirq_depth |
          context.hardirq_depth | context.nmi_depth) == 0;
}

inline bool in_interrupt(const quarry_context& context) {
  return (context.softirq_depth | context.hardirq_depth | context.nmi_depth) != 0;
}

// Linux allows no allocation at all in NMI; every mask carries one of these bits or is GFP_NOWAIT-like.
inline void update_forbidden_gfp(quarry_context& context) {
  context.forbidden_gfp = context.nmi_depth != 0 ? ~uint32_t{0}
                          : may_sleep(context)   ? 0
                                                 : QUARRY_GFP_DIRECT_RECLAIM;
}

// One kind of section for the lifetime of the guard. `depth` names the counter it raises.
class ContextGuard {
 public:
  explicit ContextGuard(uint32_t quarry_context::*depth) : depth_(depth) {
    quarry_context& context = Arch::context();
    context.*depth_ += 1;
    update_forbidden_gfp(context);
  }
  ~ContextGuard() {
    quarry_context& context = Arch::context();
    context.*depth_ -= 1;
    update_forbidden_gfp(context);
  }
  ContextGuard(const ContextGuard&) = delete;
  ContextGuard& operator=(const ContextGuard&) = delete;

 private:
  uint32_t quarry_context::*depth_;
};

}  // namespace quarry
