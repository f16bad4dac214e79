/* SPDX-License-Identifier: MIT */
/*
 * Pages: blocks of 1 << order frames, naturally aligned, order at most 10. Null (or address 0)
 * means out of memory, or an order above 10 after a report. With __GFP_DIRECT_RECLAIM a call may
 * sleep.
 */
#pragma once

#include <asm/page.h>
#include <linux/compiler.h>
#include <linux/gfp_types.h>
#include <linux/mm_types.h>
#include <linux/numa.h>

/* Exclusive, as up to Linux 6.3: the largest order is 10. */
#define MAX_ORDER 11
#define MAX_ORDER_NR_PAGES (1 << (MAX_ORDER - 1))
#define PAGE_ALLOC_COSTLY_ORDER 3

QUARRY_DECLARATIONS_BEGIN

struct page* alloc_pages(gfp_t gfp, unsigned int order);
/* `node`: preferred node, NUMA_NO_NODE: the running CPU's. */
struct page* alloc_pages_node(int node, gfp_t gfp, unsigned int order);
/* Drops a reference; the last one frees the block. */
void __free_pages(struct page* page, unsigned int order);

/* By address; __GFP_HIGHMEM is ignored. */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
unsigned long get_zeroed_page(gfp_t gfp);
/* Address 0 is a no-op. */
void free_pages(unsigned long address, unsigned int order);

/* Just as many pages as hold `bytes`, at most 4 MiB. */
void* alloc_pages_exact(size_t bytes, gfp_t gfp) __alloc_size(1);
void* alloc_pages_exact_nid(int node, size_t bytes, gfp_t gfp) __alloc_size(2);
void free_pages_exact(void* address, size_t bytes);

/*
 * Single pages into the null slots of an array; how many slots are filled then, those found filled
 * included. May be fewer than asked for.
 */
unsigned long alloc_pages_bulk_array(gfp_t gfp, unsigned long count, struct page** pages);
unsigned long alloc_pages_bulk_array_node(gfp_t gfp, int node, unsigned long count,
                                          struct page** pages);
/* Single pages to the end of a list, by page->lru; how many. */
unsigned long alloc_pages_bulk_list(gfp_t gfp, unsigned long count, struct list_head* list);

/* A block (not compound) becomes 1 << order single pages with one reference each. */
void split_page(struct page* page, unsigned int order);

QUARRY_DECLARATIONS_END

static inline struct page* alloc_page(gfp_t gfp) { return alloc_pages(gfp, 0); }
static inline struct page* __alloc_pages_node(int node, gfp_t gfp, unsigned int order) {
  return alloc_pages_node(node, gfp, order);
}
static inline void __free_page(struct page* page) { __free_pages(page, 0); }
static inline unsigned long __get_free_page(gfp_t gfp) { return __get_free_pages(gfp, 0); }
static inline unsigned long __get_dma_pages(gfp_t gfp, unsigned int order) {
  return __get_free_pages(gfp | GFP_DMA, order);
}
static inline void free_page(unsigned long address) { free_pages(address, 0); }
static inline bool gfpflags_allow_blocking(gfp_t gfp) { return !!(gfp & __GFP_DIRECT_RECLAIM); }
