/* SPDX-License-Identifier: MIT */
/* slub_debug=P,stale */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("stale", 20, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  kmem_cache_free(cache, object);
  ((char*)hidden(object))[19] = 0;
  fprintf(stderr, "slabs: %ld\n", validate_slab_cache(cache));
  kmem_cache_destroy(cache);
  return still_works();
}
