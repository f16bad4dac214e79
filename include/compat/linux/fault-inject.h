/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail on demand. QUARRY_CMDLINE has failslab= and fail_page_alloc=; here is what
 * the kernel has as /proc/self/fail-nth.
 */
#pragma once

#include <linux/compiler.h>

QUARRY_DECLARATIONS_BEGIN

/*
 * The running thread's n-th attempt from now on to allocate an object or a block of pages fails,
 * and is reported unless __GFP_NOWARN is set. 0: no attempt. By default, as in the kernel, attempts
 * that may sleep and pages of order 0 do not count: failslab.ignore-gfp-wait=N,
 * fail_page_alloc.ignore-gfp-wait=N and fail_page_alloc.min-order=0 change that.
 */
void quarry_set_fail_nth(unsigned int n);
/* Attempts up to the one that fails; 0: it has failed, or none is to. */
unsigned int quarry_fail_nth(void);

QUARRY_DECLARATIONS_END
