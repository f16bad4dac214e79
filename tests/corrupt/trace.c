/* SPDX-License-Identifier: MIT */
/* slub_debug=T,traced */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* cache = kmem_cache_create("traced", 20, 0, 0, NULL);
  char* const object = named(kmem_cache_alloc(cache, GFP_KERNEL));
  memset(object, 'T', 20);
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  return still_works();
}
