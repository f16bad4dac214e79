/* SPDX-License-Identifier: MIT */
/* What a descriptor says its frame is used for. Non-zero: yes. */
#pragma once

#include <linux/compiler.h>
#include <linux/mm_types.h>

QUARRY_DECLARATIONS_BEGIN

/* The first page of the compound block or slab; a page of none is its own head. */
struct page* quarry_compound_head(const struct page* page);

QUARRY_DECLARATIONS_END

static inline u32 quarry_page_flags(const struct page* page, u32 flags) {
  return __atomic_load_n(&page->flags, __ATOMIC_RELAXED) & flags;
}
static inline int PageHead(const struct page* page) {
  return quarry_page_flags(page, QUARRY_PAGE_HEAD) != 0;
}
static inline int PageTail(const struct page* page) {
  return quarry_page_flags(page, QUARRY_PAGE_TAIL) != 0;
}
static inline int PageCompound(const struct page* page) {
  return quarry_page_flags(page, QUARRY_PAGE_HEAD | QUARRY_PAGE_TAIL) != 0;
}
static inline struct page* compound_head(const struct page* page) {
  return PageTail(page) ? quarry_compound_head(page) : (struct page*)page;
}
static inline int PageSlab(const struct page* page) {
  return quarry_page_flags(compound_head(page), QUARRY_PAGE_SLAB) != 0;
}
static inline int PageReserved(const struct page* page) {
  return quarry_page_flags(page, QUARRY_PAGE_RESERVED) != 0;
}
/* The first page of a block in a free list. */
static inline int PageBuddy(const struct page* page) {
  return quarry_page_flags(page, QUARRY_PAGE_BUDDY) != 0;
}
