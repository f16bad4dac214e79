/* SPDX-License-Identifier: MIT */
/* slab_engine=slab */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* const cache =
      kmem_cache_create("watched", 40, 0, SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER, NULL);
  void* const kept = kmem_cache_alloc(cache, GFP_KERNEL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  memset(kept, 1, 40);
  kmem_cache_free(cache, object);
  ((char*)hidden(object))[17] = 0;
  kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
  kmem_cache_free(cache, kept);
  kmem_cache_destroy(cache);
  return still_works();
}
