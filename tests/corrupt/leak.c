/* SPDX-License-Identifier: MIT */
/* slub_debug=U,leaky nr_cpus=1 */
#include "corrupt.h"

static noinline void* forgotten(struct kmem_cache* cache) {
  void* const object = kmem_cache_alloc(cache, GFP_KERNEL);
  barrier();
  return object;
}

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("leaky", 40, 0, 0, NULL);
  void* objects[2];
  for (int i = 0; i != times(2); ++i) objects[i] = forgotten(cache);
  named(objects[0]);
  void* const freed = kmem_cache_alloc(cache, GFP_KERNEL);
  kmem_cache_alloc(cache, GFP_KERNEL);
  kmem_cache_free(cache, freed);
  kmem_cache_destroy(cache);
  return still_works();
}
