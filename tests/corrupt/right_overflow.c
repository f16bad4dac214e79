/* SPDX-License-Identifier: MIT */
/* slub_debug=FZPU */
#include "corrupt.h"

int main(void) {
  char* const object = named(kmalloc(64, GFP_KERNEL));
  memset(object, 'x', 64);
  ((char*)hidden(object))[64] = 0;
  kfree(object);
  kfree(object); /* repaired, it can be freed */
  return still_works();
}
