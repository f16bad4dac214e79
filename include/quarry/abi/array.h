/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU array of pointers behind every allocation and free that needs no lock: SLAB calls it
 * array_cache, Linux 6.18 calls it a sheaf, the page allocator calls it pcp.
 *
 * It is two stacks. Frees push onto the `freed` one and allocations pop from the `ready` one; when
 * `ready` is empty the freed entries become the ready ones. With a single stack each allocation
 * would return what the free before it has just stored, and a CPU could not overlap the two: the
 * address of the store of the free depends, by way of the page, on the value that was popped.
 *
 * The stacks interleave, so that their places do not depend on the capacity: entry i of `freed` is
 * slot[2 * i], entry i of `ready` is slot[2 * i + 1], and the sizes are counted in slots.
 *
 * The array of CPU c lies at  base + (c + 1) * stride.  At base itself lies an array of capacity 0,
 * so a stride of 0 sends every CPU to an array that is always empty and always full: one store to
 * the stride turns the fast path off without a test for it.
 *
 * Invariant: ready and freed are even and at most capacity.  Written only by the CPU that owns the
 * array (arch says how), or by anyone after stride was set to 0 and every running operation was
 * made to start again.
 */
#ifndef QUARRY_ABI_ARRAY_H
#define QUARRY_ABI_ARRAY_H

#include <stdint.h>

struct quarry_array {
  uint32_t ready;    /* 2 * entries to pop */
  uint32_t freed;    /* 2 * entries pushed since the stacks were turned over */
  uint32_t capacity; /* 2 * entries that each stack can have; 0: nothing can be pushed */
  uint32_t node;     /* NUMA node of the CPU; objects of other nodes are not pushed */
  void* slot[];
};

/* Where the arrays of one cache (or of one kind of page) lie. */
struct quarry_arrays {
  uintptr_t base;
  uintptr_t stride; /* 0: fast path off */
};

#endif
