/* SPDX-License-Identifier: MIT */
/* Pages, their descriptors, frame numbers and addresses. */
#pragma once

#include <asm/page.h>
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

QUARRY_DECLARATIONS_BEGIN

/* References. The last put frees the block, whatever its order if it is compound. */
void get_page(struct page* page);
void put_page(struct page* page);

/* Null for memory outside the direct map. */
void* page_address(const struct page* page);
int page_to_nid(const struct page* page);
/* 0 DMA, 1 DMA32, 2 Normal, 3 HighMem. */
unsigned int page_zonenum(const struct page* page);

/* Frames that the system manages. */
unsigned long totalram_pages(void);
unsigned long nr_free_pages(void);

bool quarry_virt_addr_valid(const void* address);

QUARRY_DECLARATIONS_END

/* The address is one of the direct map: neither of vmalloc nor of the program itself. */
#ifdef __cplusplus
inline bool virt_addr_valid(const void* address) { return quarry_virt_addr_valid(address); }
inline bool virt_addr_valid(unsigned long address) {
  return quarry_virt_addr_valid((const void*)address);
}
#else
#define virt_addr_valid(address) quarry_virt_addr_valid((const void*)(address))
#endif

/* The descriptor of the n-th frame after this one's. */
static inline struct page* nth_page(struct page* page, long n) { return page + n; }

static inline int page_ref_count(const struct page* page) {
  return __atomic_load_n(&page->_refcount, __ATOMIC_RELAXED);
}
static inline int page_count(const struct page* page) {
  return page_ref_count(compound_head(page));
}
static inline unsigned int compound_order(const struct page* page) {
  return PageHead(page) ? page->order : 0;
}
static inline unsigned long compound_nr(const struct page* page) {
  return 1UL << compound_order(page);
}
/* Bytes of the compound block that starts here, or of the single page. */
static inline unsigned long page_size(const struct page* page) {
  return PAGE_SIZE << compound_order(page);
}
static inline struct page* virt_to_head_page(const void* address) {
  return compound_head(virt_to_page(address));
}

static inline unsigned long page_private(const struct page* page) {
  return page->QUARRY_PAGE_PRIVATE;
}
static inline void set_page_private(struct page* page, unsigned long value) {
  page->QUARRY_PAGE_PRIVATE = value;
}
