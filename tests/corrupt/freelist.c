/* SPDX-License-Identifier: MIT */
/* slub_debug=P,chain nr_cpus=1 */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("chain", 240, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  kmem_cache_free(cache, object);
  *(unsigned long*)((char*)hidden(object) + cache->offset) = 0x1234;
  validate_slab_cache(cache);
  validate_slab_cache(cache); /* finds nothing more */
  kmem_cache_destroy(cache);
  return still_works();
}
