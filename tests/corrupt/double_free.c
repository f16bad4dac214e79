/* SPDX-License-Identifier: MIT */
/* slub_debug=FPU,kmalloc-16 */
#include "corrupt.h"

static noinline void first(void* object) {
  kfree(object);
  barrier();
}
static noinline void again(void* object) {
  kfree(object);
  barrier();
}

int main(void) {
  void* const object = named(kmalloc(16, GFP_KERNEL));
  void* const between = kmalloc(16, GFP_KERNEL);
  memset(object, 0, 16);
  first(object);
  kfree(between);
  again(hidden(object));
  return still_works();
}
