/* SPDX-License-Identifier: MIT */
/* slub_debug=F,kmalloc-128 */
#include "corrupt.h"

int main(void) {
  char* const object = named(kmalloc(128, GFP_KERNEL));
  kfree((char*)hidden(object) + 24);
  kfree(object);
  return still_works();
}
