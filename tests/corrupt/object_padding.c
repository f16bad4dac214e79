/* SPDX-License-Identifier: MIT */
/* slub_debug=ZP,padded */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("padded", 20, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  memset(object, 0, 20);
  /* Behind the red zone and the link. */
  ((char*)hidden(object))[34] = 1;
  validate_slab_cache(cache);
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  return still_works();
}
