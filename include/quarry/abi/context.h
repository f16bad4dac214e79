/* SPDX-License-Identifier: MIT */
/*
 * What the running thread (hosted) or CPU (bare metal) is in the middle of. Sections nest, so each
 * kind is a depth. forbidden_gfp is derived from the other fields whenever one of them changes: all
 * that an allocation has to ask of its context is then one AND and one branch.
 */
#ifndef QUARRY_ABI_CONTEXT_H
#define QUARRY_ABI_CONTEXT_H

#include <stdint.h>

enum { QUARRY_MAX_HELD_LOCKS = 12 };

/* Stands for "any request" in forbidden_gfp; no GFP flag has this bit. */
#define QUARRY_ANY_REQUEST 0x80000000u

struct quarry_context {
  uint32_t forbidden_gfp;  /* requests with one of these bits are looked at more closely */
  uint32_t memalloc_flags; /* PF_MEMALLOC, PF_MEMALLOC_NOIO, ... (memalloc_*_save) */
  uint32_t atomic_depth;   /* spin locks held, preemption disabled */
  uint32_t irq_off_depth;  /* local_irq_save, also seen by signal handlers of the same thread */
  uint32_t softirq_depth;
  uint32_t hardirq_depth;
  uint32_t nmi_depth;
  uint32_t rcu_depth;    /* read-side sections, of any system */
  uint32_t rcu_section;  /* rcu_read_lock(): how deep, and its token (sync/rcu.h) */
  uint32_t fail_nth;     /* fault injection for this task: 0 off, else the n-th attempt fails */
  uint32_t make_it_fail; /* attempts of this task pass the task filters of fault injection */
  /* forbidden_gfp of the code that the outermost interrupt interrupted. It cannot be derived again
     at the interrupt's end: in a process the core turns interrupts off without touching it. */
  uint32_t interrupted_forbidden_gfp;
  uint32_t held_locks; /* entries used of held_rank; debug builds only */
  uint8_t held_rank[QUARRY_MAX_HELD_LOCKS];
  /* Where the outermost section was entered: return address and stack pointer of its call. */
  uintptr_t section_place;
  uintptr_t section_stack;
  int* slab_errors; /* not null: errors that slab debugging finds are counted there, not reported */
};

#endif
