/* SPDX-License-Identifier: MIT */
/* slab_engine=slab */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* const cache =
      kmem_cache_create("watched", 40, 0, SLAB_RED_ZONE | SLAB_STORE_USER, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  ((char*)hidden(object))[40] = 0;
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  return still_works();
}
