/* SPDX-License-Identifier: MIT */
/* slab_engine=slab */
#include "corrupt.h"

int main(void) {
  void* const object = named(kmalloc(256, GFP_KERNEL));
  kfree(object);
  kfree(hidden(object));
  return still_works();
}
