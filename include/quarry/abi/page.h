/* SPDX-License-Identifier: MIT */
/*
 * One descriptor for each 4 KiB frame, complete for C callers because kernel code writes `page +
 * 1`.
 *
 * The first 16 bytes (two words) belong to the owner of the page: `lru`, or `private` and `index`.
 * While the page is free or a slab, they hold the allocator's own links. All zeros means "interior
 * of a free block, or tail of a plain multi-page block": an untouched page map costs nothing.
 */
#ifndef QUARRY_ABI_PAGE_H
#define QUARRY_ABI_PAGE_H

#include <stdint.h>

#include "list_head.h"
#include "rcu_head.h"

/* In C the owner's word has the kernel's name; in C++ that name is a keyword. */
#ifdef __cplusplus
#define QUARRY_PAGE_PRIVATE private_
#else
#define QUARRY_PAGE_PRIVATE private
#endif

struct page {
  union {
    struct list_head lru;
    struct {
      unsigned long QUARRY_PAGE_PRIVATE;
      unsigned long index;
    };
    struct {
      uint32_t link_next, link_prev; /* frame numbers: free list, or list of partial slabs */
      void* freelist;                /* slab head: first free object */
    };
    struct callback_head rcu; /* slab head that waits for readers to be gone */
  };
  uint32_t flags;    /* QUARRY_PAGE_* below, atomic where two owners may write */
  int32_t _refcount; /* users of the block; 0 while free, in tails and in slabs' tails */
  union {
    uint32_t head; /* tail of a compound block or of a slab: frame number of its head */
    struct {
      uint16_t inuse;   /* slab head: objects taken from it */
      uint16_t objects; /* slab head: objects it holds */
    };
  };
  uint16_t cache; /* number of the kmem_cache, in every page of a slab; 0: no slab */
  uint8_t order;  /* head of a free, compound or slab block: its size is 1 << order pages */
  uint8_t node;   /* every page of a slab: NUMA node of its frames; free block: type of its list */
};

enum {
  QUARRY_PAGE_BUDDY = 1 << 0,         /* first page of a block in a buddy free list */
  QUARRY_PAGE_PCP = 1 << 1,           /* first page of a block in a per-CPU stack */
  QUARRY_PAGE_HEAD = 1 << 2,          /* first page of a compound block */
  QUARRY_PAGE_TAIL = 1 << 3,          /* any other page of a compound block; `head` leads back */
  QUARRY_PAGE_SLAB = 1 << 4,          /* cut into objects, with HEAD or TAIL */
  QUARRY_PAGE_LARGE_KMALLOC = 1 << 5, /* head of a kmalloc block of whole pages */
  QUARRY_PAGE_RESERVED = 1 << 6,      /* not the page allocator's: firmware, metadata, hole */
  QUARRY_PAGE_PFMEMALLOC = 1 << 7,    /* taken without regard to watermarks */
  QUARRY_PAGE_ZEROED = 1 << 8,        /* on its way to its first owner ever: its frames are zero */
  QUARRY_PAGE_OWNER_SHIFT = 16        /* bits from here on belong to the owner of the page */
};

#endif
