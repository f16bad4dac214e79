/* SPDX-License-Identifier: MIT */
/* Page size, and the ways between addresses, frame numbers and descriptors. */
#pragma once

#include <linux/compiler.h>
#include <linux/mm_types.h>
#include <linux/types.h>

/* Letter for letter as <sys/user.h> of the C library has them. */
#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#endif
#ifndef PAGE_MASK
// clang-format off
#define PAGE_MASK (~(PAGE_SIZE-1))
// clang-format on
#endif
#define PAGE_ALIGN(address) (((address) + PAGE_SIZE - 1) & ~((__typeof__(address))PAGE_SIZE - 1))
#define PAGE_ALIGNED(address) (((unsigned long)(address) & (PAGE_SIZE - 1)) == 0)
#define offset_in_page(address) ((unsigned long)(address) & (PAGE_SIZE - 1))

QUARRY_DECLARATIONS_BEGIN

/* Null where the address is not in the direct map. */
struct page* quarry_virt_to_page(const void* address);
unsigned long page_to_pfn(const struct page* page);
/* Of a frame number below the end of memory. */
struct page* pfn_to_page(unsigned long pfn);
/* Whether there is memory at that frame. */
int pfn_valid(unsigned long pfn);
/* Of an address in the direct map. */
phys_addr_t virt_to_phys(const volatile void* address);
void* phys_to_virt(phys_addr_t address);

QUARRY_DECLARATIONS_END

/* Kernel code gives addresses as pointers and as numbers. */
#ifdef __cplusplus
inline struct page* virt_to_page(const void* address) { return quarry_virt_to_page(address); }
inline struct page* virt_to_page(unsigned long address) {
  return quarry_virt_to_page((const void*)address);
}
#else
#define virt_to_page(address) quarry_virt_to_page((const void*)(address))
#endif
#define __pa(address) virt_to_phys((const void*)(address))
#define __va(address) phys_to_virt((phys_addr_t)(address))

static inline phys_addr_t page_to_phys(const struct page* page) {
  return (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT;
}
static inline struct page* phys_to_page(phys_addr_t address) {
  return pfn_to_page((unsigned long)(address >> PAGE_SHIFT));
}

/* The smallest order whose block holds `bytes`; of no bytes at all an impossible one. */
static __always_inline int get_order(unsigned long bytes) {
  if (bytes == 0) return 64 - PAGE_SHIFT;
  if (bytes <= PAGE_SIZE) return 0;
  return 64 - __builtin_clzll((unsigned long long)(bytes - 1) >> PAGE_SHIFT);
}
