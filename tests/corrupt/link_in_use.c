/* SPDX-License-Identifier: MIT */
/* slub_debug=FP,linked */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("linked", 24, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  memset(hidden(object), 0, 32); /* 24, and the link behind: zeros are a link to nothing */
  validate_slab_cache(cache);
  memset(hidden(object), 7, 32);
  validate_slab_cache(cache);
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  return still_works();
}
