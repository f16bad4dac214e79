/* SPDX-License-Identifier: MIT */
#pragma once

#if __has_include_next(<linux/sched.h>)
#include_next <linux/sched.h>
#endif

#include <linux/preempt.h>
#include <quarry/abi/gfp.h>

#define PF_MEMALLOC QUARRY_PF_MEMALLOC
#define PF_MEMALLOC_NOFS QUARRY_PF_MEMALLOC_NOFS
#define PF_MEMALLOC_NOIO QUARRY_PF_MEMALLOC_NOIO
#define PF_MEMALLOC_PIN QUARRY_PF_MEMALLOC_PIN

QUARRY_DECLARATIONS_BEGIN

/* Lets other threads run. Always 0. */
int quarry_cond_resched(void);

QUARRY_DECLARATIONS_END

#define cond_resched()     \
  __extension__({          \
    might_sleep();         \
    quarry_cond_resched(); \
  })
