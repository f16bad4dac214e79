/* SPDX-License-Identifier: MIT */
/*
 * Size classes that nobody else's objects share (Linux 6.12): what one user of kmalloc writes
 * beyond its objects hits its own.
 */
#pragma once

#include <linux/gfp.h>
#include <quarry/abi/kmem_cache.h>

/* One cache for each size class of kmalloc. */
#define QUARRY_SIZE_CLASSES 13
typedef struct kmem_cache* kmem_buckets[QUARRY_SIZE_CLASSES];

QUARRY_DECLARATIONS_BEGIN

/*
 * Caches NAME-8 to NAME-8k, never merged; they stay. `useroffset` and `usersize` as in
 * kmem_cache_create_usercopy(), as far as an object of the class reaches. Process context. Null:
 * out of memory; ZERO_SIZE_PTR with SLOB, which has no classes.
 */
kmem_buckets* kmem_buckets_create(const char* name, slab_flags_t flags, unsigned int useroffset,
                                  unsigned int usersize, void (*ctor)(void* object));
/* What kmalloc() would give, from these caches; kfree() takes it. With buckets that are null or
 * ZERO_SIZE_PTR, or for more than the largest class, it is kmalloc(). */
void* kmem_buckets_alloc(kmem_buckets* buckets, size_t bytes, gfp_t gfp) __alloc_size(2);
void* quarry_kmem_buckets_alloc(kmem_buckets* buckets, size_t bytes, gfp_t gfp,
                                unsigned long caller) __alloc_size(2);
/* What kvmalloc() would give; for kvfree(). */
void* kmem_buckets_valloc(kmem_buckets* buckets, size_t bytes, gfp_t gfp) __alloc_size(2);

QUARRY_DECLARATIONS_END

#define kmem_buckets_alloc_track_caller(buckets, bytes, gfp) \
  quarry_kmem_buckets_alloc(buckets, bytes, gfp, (unsigned long)__builtin_return_address(0))
