/* SPDX-License-Identifier: MIT */
/*
 * What the running thread (hosted) or CPU (bare metal) is in the middle of. Sections nest, so each
 * kind is a depth. forbidden_gfp is derived from the depths whenever one of them changes: the
 * check "may this caller sleep?" is then one AND and one branch.
 */
#ifndef QUARRY_ABI_CONTEXT_H
#define QUARRY_ABI_CONTEXT_H

#include <stdint.h>

enum { QUARRY_MAX_HELD_LOCKS = 12 };

struct quarry_context {
  uint32_t forbidden_gfp;  /* GFP bits that no allocation may carry here; 0 where sleeping is fine */
  uint32_t memalloc_flags; /* PF_MEMALLOC, PF_MEMALLOC_NOIO, ... (memalloc_*_save) */
  uint32_t atomic_depth;   /* spin locks held, preemption disabled */
  uint32_t irq_off_depth;  /* local_irq_save, also seen by signal handlers of the same thread */
  uint32_t softirq_depth;
  uint32_t hardirq_depth;
  uint32_t nmi_depth;
  uint32_t fail_nth;       /* fault injection for this task: 0 off, else the n-th attempt fails */
  uint32_t held_locks;     /* entries used of held_rank; debug builds only */
  uint8_t held_rank[QUARRY_MAX_HELD_LOCKS];
};

#endif
