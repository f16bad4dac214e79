/* SPDX-License-Identifier: MIT */
/* slab_debug=fz */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("underflow", 32, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  memset(object, 'x', 32);
  memset((char*)hidden(object) - 3, 'y', 2);
  validate_slab_cache(cache);
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  return still_works();
}
