/* SPDX-License-Identifier: MIT */
/* slub_debug=P,slabs nr_cpus=1 */
#include "corrupt.h"

int main(void) {
  /* 19 slots of 208 bytes in a page of 4096: 144 bytes are left. */
  struct kmem_cache* cache = kmem_cache_create("slabs", 200, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  char* const slab = (char*)((unsigned long)hidden(object) & ~4095UL);
  slab[4096 - 16] = 0;
  validate_slab_cache(cache);
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  return still_works();
}
