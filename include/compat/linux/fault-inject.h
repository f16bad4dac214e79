/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail on demand. QUARRY_CMDLINE has failslab= and fail_page_alloc= and their
 * attributes; here is what the kernel has as files.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>

struct kmem_cache;

QUARRY_DECLARATIONS_BEGIN

/*
 * /sys/kernel/debug/failslab/ and fail_page_alloc/, at any time: `path` is "failslab/probability".
 * Both have probability, interval, times, space, verbose, verbose_ratelimit_interval_ms,
 * verbose_ratelimit_burst, task-filter, ignore-gfp-wait; failslab has cache-filter, fail_page_alloc
 * ignore-gfp-highmem and min-order. 0, -ENOENT, or -EINVAL for a value that makes no sense.
 */
int quarry_fault_write(const char* path, const char* value);
/* As snprintf: the length of the whole text, or -ENOENT. */
long quarry_fault_read(const char* path, char* buffer, size_t size);

/* /sys/kernel/slab/NAME/failslab: whether cache-filter lets the cache's objects fail. */
void quarry_failslab_cache(struct kmem_cache* cache, bool chosen);

/* /proc/self/make-it-fail: whether task-filter lets the running thread's attempts fail. */
void quarry_set_make_it_fail(bool fail);
bool quarry_make_it_fail(void);

/*
 * /proc/self/fail-nth: the running thread's n-th attempt from now on to allocate an object or a
 * block of pages fails, and is reported unless __GFP_NOWARN is set. 0: no attempt. By default, as
 * in the kernel, attempts that may sleep and pages of order 0 do not count: ignore-gfp-wait and
 * min-order change that.
 */
void quarry_set_fail_nth(unsigned int n);
/* Attempts up to the one that fails; 0: it has failed, or none is to. */
unsigned int quarry_fail_nth(void);

QUARRY_DECLARATIONS_END
