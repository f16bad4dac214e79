/* SPDX-License-Identifier: MIT */
/* GFP bits and their composites; values of Linux 6.1. */
#pragma once

#include <linux/types.h>
#include <quarry/abi/gfp.h>

/* Where the memory may lie. */
#define __GFP_DMA ((gfp_t)QUARRY_GFP_DMA)
#define __GFP_HIGHMEM ((gfp_t)QUARRY_GFP_HIGHMEM)
#define __GFP_DMA32 ((gfp_t)QUARRY_GFP_DMA32)
#define __GFP_MOVABLE ((gfp_t)QUARRY_GFP_MOVABLE)
#define __GFP_THISNODE ((gfp_t)QUARRY_GFP_THISNODE)
#define __GFP_HARDWALL ((gfp_t)QUARRY_GFP_HARDWALL)
#define GFP_ZONEMASK (__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE)

/* What the request may do. */
#define __GFP_IO ((gfp_t)QUARRY_GFP_IO)
#define __GFP_FS ((gfp_t)QUARRY_GFP_FS)
#define __GFP_DIRECT_RECLAIM ((gfp_t)QUARRY_GFP_DIRECT_RECLAIM)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)QUARRY_GFP_KSWAPD_RECLAIM)
#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define __GFP_RETRY_MAYFAIL ((gfp_t)QUARRY_GFP_RETRY_MAYFAIL)
#define __GFP_NOFAIL ((gfp_t)QUARRY_GFP_NOFAIL)
#define __GFP_NORETRY ((gfp_t)QUARRY_GFP_NORETRY)

/* Which reserves it may use. */
#define __GFP_HIGH ((gfp_t)QUARRY_GFP_HIGH)
#define __GFP_ATOMIC ((gfp_t)QUARRY_GFP_ATOMIC)
#define __GFP_MEMALLOC ((gfp_t)QUARRY_GFP_MEMALLOC)
#define __GFP_NOMEMALLOC ((gfp_t)QUARRY_GFP_NOMEMALLOC)

/* What is done with it. */
#define __GFP_RECLAIMABLE ((gfp_t)QUARRY_GFP_RECLAIMABLE)
#define __GFP_ZERO ((gfp_t)QUARRY_GFP_ZERO)
#define __GFP_WRITE ((gfp_t)QUARRY_GFP_WRITE)
#define __GFP_NOWARN ((gfp_t)QUARRY_GFP_NOWARN)
#define __GFP_COMP ((gfp_t)QUARRY_GFP_COMP)
#define __GFP_ACCOUNT ((gfp_t)QUARRY_GFP_ACCOUNT)
#define __GFP_ZEROTAGS ((gfp_t)QUARRY_GFP_ZEROTAGS)

#define __GFP_BITS_SHIFT QUARRY_GFP_BITS_SHIFT
#define __GFP_BITS_MASK ((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

#define GFP_ATOMIC (__GFP_HIGH | __GFP_ATOMIC | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM)
#define GFP_NOIO (__GFP_RECLAIM)
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER (GFP_KERNEL | __GFP_HARDWALL)
#define GFP_DMA __GFP_DMA
#define GFP_DMA32 __GFP_DMA32
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_TRANSHUGE_LIGHT \
  ((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE (GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)
