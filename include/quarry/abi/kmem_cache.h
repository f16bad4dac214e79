/* SPDX-License-Identifier: MIT */
/* The head of a cache: what the paths need that take no lock. The rest is opaque. */
#ifndef QUARRY_ABI_KMEM_CACHE_H
#define QUARRY_ABI_KMEM_CACHE_H

#include <stdint.h>

struct kmem_cache {
  uint32_t object_size;  /* bytes a caller may use, and what __GFP_ZERO clears */
  uint32_t size;         /* distance of two objects in a slab */
  uint32_t flags;        /* SLAB_* */
  uint32_t array_offset; /* of its per-CPU arrays among all caches' */
  uint16_t number;       /* in struct page of each of its slabs; never 0 */
  uint16_t align;
  uint32_t offset; /* in a free object: of the link to the next (SLUB) */
};

/* Flags of a cache: values of Linux 6.1. */
#define QUARRY_SLAB_KMALLOC 0x00001000u
#define QUARRY_SLAB_HWCACHE_ALIGN 0x00002000u
#define QUARRY_SLAB_CACHE_DMA 0x00004000u
#define QUARRY_SLAB_CACHE_DMA32 0x00008000u
#define QUARRY_SLAB_RECLAIM_ACCOUNT 0x00020000u
#define QUARRY_SLAB_PANIC 0x00040000u
#define QUARRY_SLAB_TYPESAFE_BY_RCU 0x00080000u
#define QUARRY_SLAB_MEM_SPREAD 0x00100000u
#define QUARRY_SLAB_NOLEAKTRACE 0x00800000u
#define QUARRY_SLAB_NO_MERGE 0x01000000u /* of Linux 6.12 */
#define QUARRY_SLAB_ACCOUNT 0x04000000u
/* Of debugging: consistency checks, red zones, poison, owners, tracing. */
#define QUARRY_SLAB_CONSISTENCY_CHECKS 0x00000100u
#define QUARRY_SLAB_RED_ZONE 0x00000400u
#define QUARRY_SLAB_POISON 0x00000800u
#define QUARRY_SLAB_STORE_USER 0x00010000u
#define QUARRY_SLAB_TRACE 0x00200000u
#define QUARRY_SLAB_DEBUG_FLAGS 0x00210d00u
/* Fault injection may be for these caches only; debugging by command line is not for these. */
#define QUARRY_SLAB_FAILSLAB 0x02000000u
#define QUARRY_SLAB_NO_USER_FLAGS 0x10000000u

#endif
