/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU array of pointers behind every allocation and free that needs no lock: SLAB calls it
 * array_cache, Linux 6.18 calls it a sheaf, the page allocator calls it pcp. It is a stack: what
 * was freed last is allocated first.
 *
 * All arrays of one owner and one CPU lie side by side, each at the same offset for every CPU: the
 * array of CPU c is at  base + (c + 1) * stride + offset.  At base + offset there is one of
 * capacity 0, so a stride of 0 sends every CPU to arrays that are always empty and always full: one
 * store to the stride turns the fast paths off without a test for it.
 *
 * Invariant: count <= capacity, unless capacity is 0.  Written only by the CPU that owns the array
 * (arch says how), or by anyone after stride was set to 0 and every running operation was made to
 * start again.
 */
#ifndef QUARRY_ABI_ARRAY_H
#define QUARRY_ABI_ARRAY_H

#include <stdint.h>

struct quarry_array {
  uint32_t count;    /* entries; the last is popped next */
  uint32_t capacity; /* entries there can be; 0: nothing can be pushed */
  uint32_t node;     /* NUMA node of the CPU; objects of other nodes are not pushed */
  uint32_t unused;
  void* slot[];
};

/* Where the arrays of one owner (the caches of a system, the zones of a system) lie. */
struct quarry_arrays {
  uintptr_t base;
  uintptr_t stride; /* 0: fast paths off */
};

#endif
