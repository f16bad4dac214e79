/* SPDX-License-Identifier: MIT */
/*
 * Objects of a cache that are taken in advance, where sleeping and failing are allowed, and handed
 * out later, where they are not (Linux 6.18).
 */
#pragma once

#include <linux/gfp.h>
#include <quarry/abi/kmem_cache.h>

struct slab_sheaf;

QUARRY_DECLARATIONS_BEGIN

/* At least `count` objects. Null: no memory for all of them, and none is taken; or count is 0. */
struct slab_sheaf* kmem_cache_prefill_sheaf(struct kmem_cache* cache, gfp_t gfp,
                                            unsigned int count);
/*
 * Brings it to at least `count` objects again. If it has too little room another takes its place.
 * 0, -EINVAL: there is no sheaf, -ENOMEM: it is as it was.
 */
int kmem_cache_refill_sheaf(struct kmem_cache* cache, gfp_t gfp, struct slab_sheaf** sheaf,
                            unsigned int count);
/*
 * One of its objects, for kmem_cache_free(); in any context, whatever `gfp` says of sleeping. With
 * __GFP_ZERO it is zeroed. Null: it has none left. Users of one sheaf exclude each other.
 */
void* kmem_cache_alloc_from_sheaf(struct kmem_cache* cache, gfp_t gfp, struct slab_sheaf* sheaf);
/* Frees it and the objects that are left. */
void kmem_cache_return_sheaf(struct kmem_cache* cache, gfp_t gfp, struct slab_sheaf* sheaf);
/* How many objects it has. */
unsigned int kmem_cache_sheaf_size(struct slab_sheaf* sheaf);

QUARRY_DECLARATIONS_END
