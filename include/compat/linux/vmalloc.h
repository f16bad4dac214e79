/* SPDX-License-Identifier: MIT */
/*
 * Virtually contiguous memory of frames from anywhere, with an unmapped guard page behind it. All
 * calls are for process context. Null means out of memory, or a size of 0 after a report.
 */
#pragma once

#include <asm/page.h>
#include <linux/compiler.h>
#include <linux/gfp_types.h>
#include <linux/mm_types.h>
#include <linux/overflow.h>

#define VM_IOREMAP 0x00000001
#define VM_ALLOC 0x00000002
#define VM_MAP 0x00000004

typedef struct {
  unsigned long pgprot;
} pgprot_t;
#define pgprot_val(protection) ((protection).pgprot)
static inline pgprot_t __pgprot(unsigned long bits) {
  const pgprot_t protection = {bits};
  return protection;
}
/* Page-table bits of x86-64. A mapping follows the bit that permits writing (2). */
#define PAGE_KERNEL __pgprot(0x8000000000000163UL)
#define PAGE_KERNEL_RO __pgprot(0x8000000000000161UL)

QUARRY_DECLARATIONS_BEGIN

void* vmalloc(unsigned long bytes) __alloc_size(1);
void* vzalloc(unsigned long bytes) __alloc_size(1);
void* vmalloc_node(unsigned long bytes, int node) __alloc_size(1);
void* vzalloc_node(unsigned long bytes, int node) __alloc_size(1);
void* __vmalloc(unsigned long bytes, gfp_t gfp) __alloc_size(1);
/* Null is a no-op. What is no area's start is reported and left alone. */
void vfree(const void* address);

/* The same frames at a second, contiguous address; the pages stay the caller's. `flags`: VM_MAP. */
void* vmap(struct page** pages, unsigned int count, unsigned long flags, pgprot_t protection);
void vunmap(const void* address);
/* Addresses kept for the next area of the same size are free for all. Nothing is mapped there. */
void vm_unmap_aliases(void);

/* Null, or frame 0, where nothing is mapped. */
struct page* vmalloc_to_page(const void* address);
unsigned long vmalloc_to_pfn(const void* address);
bool is_vmalloc_addr(const void* address);

QUARRY_DECLARATIONS_END

/* Null where the product overflows. */
static inline void* __vmalloc_array(size_t count, size_t bytes, gfp_t gfp) {
  size_t product;
  return check_mul_overflow(count, bytes, &product) ? NULL : __vmalloc(product, gfp);
}
static inline void* vmalloc_array(size_t count, size_t bytes) {
  return __vmalloc_array(count, bytes, GFP_KERNEL);
}
static inline void* __vcalloc(size_t count, size_t bytes, gfp_t gfp) {
  return __vmalloc_array(count, bytes, gfp | __GFP_ZERO);
}
static inline void* vcalloc(size_t count, size_t bytes) {
  return __vcalloc(count, bytes, GFP_KERNEL);
}
