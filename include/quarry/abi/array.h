/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stack of pointers behind every allocation and free that needs no lock: SLAB calls it
 * array_cache, Linux 6.18 calls it a sheaf, the page allocator calls it pcp.
 *
 * The array of CPU c lies at  base + (c + 1) * stride.  At base itself lies an array of capacity 0,
 * so a stride of 0 sends every CPU to an array that is always empty and always full: one store to
 * the stride turns the fast path off without a test for it.
 *
 * Invariant: count <= capacity.  Written only by the CPU that owns it (arch says how), or by
 * anyone after stride was set to 0 and every running operation was made to start again.
 */
#ifndef QUARRY_ABI_ARRAY_H
#define QUARRY_ABI_ARRAY_H

#include <stdint.h>

struct quarry_array {
  uint32_t count;     /* slots in use; slot[count - 1] is the next to be popped */
  uint16_t capacity;  /* 0: nothing can be pushed */
  uint16_t node;      /* NUMA node of the CPU; objects of other nodes are not pushed */
  void *slot[];
};

/* Where the arrays of one cache (or of one kind of page) lie. */
struct quarry_arrays {
  uintptr_t base;
  uintptr_t stride; /* 0: fast path off */
};

#endif
