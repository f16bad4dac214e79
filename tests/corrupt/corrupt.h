/* SPDX-License-Identifier: MIT */
/*
 * A program with one bug. It includes this, says how its caches are debugged, and goes on after the
 * bug; NAME.txt has what it has to print, reports included. run.py says what it leaves open there.
 */
#pragma once

#include <linux/kernel.h>
#include <linux/slab.h>
#include <stdio.h>
#include <stdlib.h>

/* Addresses in the report are told from this one. */
static inline void* named(void* object) {
  if (object == NULL) abort();
  fprintf(stderr, "object %p\n", object);
  return object;
}

/* An address that the compiler knows nothing of, so that it lets the bug be. */
static inline void* hidden(void* object) {
  __asm__ volatile("" : "+r"(object));
  return object;
}

/* A number that the compiler does not know, so that a loop stays one call. */
static inline int times(int number) {
  __asm__ volatile("" : "+r"(number));
  return number;
}

/* Whatever was reported, objects of all sizes are still to be had. */
static inline int still_works(void) {
  for (size_t bytes = 8; bytes <= 8192; bytes *= 2) {
    char* a = kmalloc(bytes, GFP_KERNEL);
    char* b = kmalloc(bytes, GFP_KERNEL);
    if (a == NULL || b == NULL || a == b) abort();
    memset(a, 1, bytes);
    memset(b, 2, bytes);
    if (a[bytes - 1] != 1) abort();
    kfree(a);
    kfree(b);
  }
  fprintf(stderr, "goes on\n");
  return 0;
}
