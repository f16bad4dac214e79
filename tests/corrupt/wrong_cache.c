/* SPDX-License-Identifier: MIT */
/* slub_debug=FU,mine,yours */
#include "corrupt.h"

int main(void) {
  struct kmem_cache* mine = kmem_cache_create("mine", 40, 0, 0, NULL);
  struct kmem_cache* yours = kmem_cache_create("yours", 40, 0, 0, NULL);
  void* const object = named(kmem_cache_alloc(mine, GFP_KERNEL));
  kmem_cache_free(yours, object);
  /* It went back to its own cache: nothing is left in either. */
  kmem_cache_destroy(mine);
  kmem_cache_destroy(yours);
  return still_works();
}
