/* SPDX-License-Identifier: MIT */
/* slab_engine=slob */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* const cache = kmem_cache_create("twice", 40, 0, 0, NULL);
  void* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  void* const other = kmem_cache_alloc(cache, GFP_KERNEL);
  kmem_cache_free(cache, object);
  kmem_cache_free(cache, hidden(object));
  kmem_cache_free(cache, other);
  kmem_cache_destroy(cache);
  return still_works();
}
