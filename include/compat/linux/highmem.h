/* SPDX-License-Identifier: MIT */
/*
 * Addresses for pages that have none because they lie above the direct map; other pages keep
 * theirs. In a process there are no such pages; the rules are the same.
 */
#pragma once

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/preempt.h>

QUARRY_DECLARATIONS_BEGIN

/*
 * For all CPUs, until kunmap() was called as often. Process context; sleeps until a slot is free.
 */
void* kmap(struct page* page);
void kunmap(struct page* page);

/*
 * For this thread, in any context. What is mapped last is unmapped first; the address may point
 * anywhere into the page.
 */
void* kmap_local_page(struct page* page);
void kunmap_local(const void* address);

struct page* kmap_to_page(void* address);
void kmap_flush_unused(void);

/* Frames above the direct map: free, and in all. */
unsigned long nr_free_highpages(void);
unsigned long totalhigh_pages(void);

QUARRY_DECLARATIONS_END

static inline bool PageHighMem(const struct page* page) { return page_zonenum(page) == 3; }

static inline void* kmap_local_pfn(unsigned long pfn) { return kmap_local_page(pfn_to_page(pfn)); }

/* An atomic section as well: nothing between the two may sleep. */
static inline void* kmap_atomic(struct page* page) {
  preempt_disable();
  return kmap_local_page(page);
}
static inline void kunmap_atomic(const void* address) {
  kunmap_local(address);
  preempt_enable();
}

/* The caches of x86 show one memory at all addresses. */
static inline void flush_dcache_page(struct page* page) { (void)page; }

/* Pieces of a page: `offset` and the bytes behind it lie in it. */
static inline void memset_page(struct page* page, size_t offset, int value, size_t bytes) {
  char* const to = (char*)kmap_local_page(page);
  BUG_ON(offset + bytes > PAGE_SIZE);
  __builtin_memset(to + offset, value, bytes);
  kunmap_local(to);
}
static inline void memzero_page(struct page* page, size_t offset, size_t bytes) {
  memset_page(page, offset, 0, bytes);
}
static inline void memcpy_from_page(char* to, struct page* page, size_t offset, size_t bytes) {
  const char* const from = (const char*)kmap_local_page(page);
  BUG_ON(offset + bytes > PAGE_SIZE);
  __builtin_memcpy(to, from + offset, bytes);
  kunmap_local(from);
}
static inline void memcpy_to_page(struct page* page, size_t offset, const char* from,
                                  size_t bytes) {
  char* const to = (char*)kmap_local_page(page);
  BUG_ON(offset + bytes > PAGE_SIZE);
  __builtin_memcpy(to + offset, from, bytes);
  kunmap_local(to);
}
static inline void memcpy_page(struct page* to_page, size_t to_offset, struct page* from_page,
                               size_t from_offset, size_t bytes) {
  char* const to = (char*)kmap_local_page(to_page);
  const char* const from = (const char*)kmap_local_page(from_page);
  BUG_ON(to_offset + bytes > PAGE_SIZE || from_offset + bytes > PAGE_SIZE);
  __builtin_memcpy(to + to_offset, from + from_offset, bytes);
  kunmap_local(from);
  kunmap_local(to);
}

static inline void clear_highpage(struct page* page) { memzero_page(page, 0, PAGE_SIZE); }
static inline void copy_highpage(struct page* to, struct page* from) {
  memcpy_page(to, 0, from, 0, PAGE_SIZE);
}
/* [start, end) of each segment. */
static inline void zero_user_segments(struct page* page, unsigned int start1, unsigned int end1,
                                      unsigned int start2, unsigned int end2) {
  if (end1 > start1) memzero_page(page, start1, end1 - start1);
  if (end2 > start2) memzero_page(page, start2, end2 - start2);
}
static inline void zero_user_segment(struct page* page, unsigned int start, unsigned int end) {
  zero_user_segments(page, start, end, 0, 0);
}
static inline void zero_user(struct page* page, unsigned int start, unsigned int bytes) {
  zero_user_segments(page, start, start + bytes, 0, 0);
}
