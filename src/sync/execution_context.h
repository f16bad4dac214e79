// SPDX-License-Identifier: MIT
#pragma once

// Process, softirq, hardirq and NMI context, and atomic sections inside them, as in Linux: a caller
// may sleep only in process context with no spin lock held, in no read-side section of RCU,
// preemption enabled and interrupts on. Every change of a depth recomputes
// quarry_context::forbidden_gfp, which is all that the fast paths of allocations look at.

#include "arch/arch.h"
#include "quarry/abi/gfp.h"

// In a function that enters a section on behalf of its caller.
#define QUARRY_SECTION_ENTRY                                                      \
  (quarry::SectionEntry{reinterpret_cast<uintptr_t>(__builtin_return_address(0)), \
                        reinterpret_cast<uintptr_t>(__builtin_dwarf_cfa())})

namespace quarry {

inline bool may_sleep(const quarry_context& context) {
  return (context.atomic_depth | context.irq_off_depth | context.softirq_depth |
          context.hardirq_depth | context.nmi_depth | context.rcu_depth) == 0;
}

inline bool in_interrupt(const quarry_context& context) {
  return (context.softirq_depth | context.hardirq_depth | context.nmi_depth) != 0;
}

// Whether a request with these GFP bits is a mistake here: it might sleep where that is not
// allowed, or it is made in NMI context, where Linux allows none at all.
inline bool context_forbids(const quarry_context& context, uint32_t gfp) {
  return context.nmi_depth != 0 || ((gfp & QUARRY_GFP_DIRECT_RECLAIM) != 0 && !may_sleep(context));
}

// Everything for which a request must leave the fast paths: context_forbids(), the pin scope that
// takes MOVABLE away, and the count-down of fault injection for this task.
inline void update_forbidden_gfp(quarry_context& context) {
  uint32_t bits = 0;
  if (!may_sleep(context)) bits |= QUARRY_GFP_DIRECT_RECLAIM;
  if ((context.memalloc_flags & QUARRY_PF_MEMALLOC_PIN) != 0) bits |= QUARRY_GFP_MOVABLE;
  if ((context.fail_nth | context.nmi_depth) != 0) bits |= QUARRY_ANY_REQUEST;
  context.forbidden_gfp = bits;
}

// The one test of an allocation's fast path: true leads to the slow path, which looks closer.
inline bool needs_context_check(uint32_t gfp) {
  if (!Arch::forbids_some_gfp()) [[likely]]
    return false;
  return ((gfp | QUARRY_ANY_REQUEST) & Arch::context().forbidden_gfp) != 0;
}

// Whom a report of an allocation that sleeps in a section shows as having entered it. The stack is
// that of the call: from it a backtrace can be told later, which nobody has to take now.
struct SectionEntry {
  uintptr_t place;
  uintptr_t stack;
};

// Sections of one kind, which `depth` names.
inline void enter_section(uint32_t quarry_context::*depth, const SectionEntry& entry) {
  quarry_context& context = Arch::context();
  if (may_sleep(context)) {
    context.section_place = entry.place;
    context.section_stack = entry.stack;
  }
  context.*depth += 1;
  update_forbidden_gfp(context);
}

inline void leave_section(uint32_t quarry_context::*depth) {
  quarry_context& context = Arch::context();
  context.*depth -= 1;
  update_forbidden_gfp(context);
}

// A section for the lifetime of the guard; its place is the caller of the function it stands in.
class ContextGuard {
 public:
  [[gnu::always_inline]] explicit ContextGuard(uint32_t quarry_context::*depth) : depth_(depth) {
    enter_section(depth, QUARRY_SECTION_ENTRY);
  }
  ~ContextGuard() { leave_section(depth_); }
  ContextGuard(const ContextGuard&) = delete;
  ContextGuard& operator=(const ContextGuard&) = delete;

 private:
  uint32_t quarry_context::*depth_;
};

}  // namespace quarry
