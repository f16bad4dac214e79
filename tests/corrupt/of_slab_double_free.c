/* SPDX-License-Identifier: MIT */
/* slab_engine=slab */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* const cache =
      kmem_cache_create("watched", 40, 0, SLAB_RED_ZONE | SLAB_STORE_USER, NULL);
  void* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  void* const other = kmem_cache_alloc(cache, GFP_KERNEL);
  kmem_cache_free(cache, object);
  kmem_cache_free(cache, other);
  kmem_cache_free(cache, hidden(object));
  kmem_cache_destroy(cache);
  return still_works();
}
