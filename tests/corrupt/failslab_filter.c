/* SPDX-License-Identifier: MIT */
/* slub_debug=A,chosen failslab=1,100,0,-1 failslab.ignore-gfp-wait=N failslab.cache-filter=Y */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* chosen = kmem_cache_create("chosen", 64, 0, 0, NULL);
  struct kmem_cache* other = kmem_cache_create("other", 64, 0, 0, NULL);
  void* const object = kmem_cache_alloc(other, GFP_KERNEL);
  void* const failed = kmem_cache_alloc(chosen, GFP_KERNEL | __GFP_NOWARN);
  fprintf(stderr, "other: %d, chosen: %d\n", object != NULL, failed != NULL);
  kmem_cache_free(other, object);
  kmem_cache_destroy(chosen);
  kmem_cache_destroy(other);
  return still_works();
}
