/* SPDX-License-Identifier: MIT */
/* slub_debug=FPU,stale */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("stale", 48, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  kmem_cache_free(cache, object);
  strcpy(hidden(object), "stale");
  /* The object is not handed out, nor is any other of its slab. */
  void* const other = kmem_cache_alloc(cache, GFP_KERNEL);
  fprintf(stderr, "another slab: %d\n", other != NULL && other != object);
  kmem_cache_free(cache, other);
  return still_works();
}
