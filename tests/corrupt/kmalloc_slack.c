/* SPDX-License-Identifier: MIT */
/* slub_debug=FZU,kmalloc-32 */
#include "corrupt.h"

int main(void) {
  char* const object = named(kmalloc(18, GFP_KERNEL));
  memset(object, 'x', 18);
  memset((char*)hidden(object) + 18, 0xab, 2);
  kfree(object);
  kfree(object);
  return still_works();
}
