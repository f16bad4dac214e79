// SPDX-License-Identifier: MIT
// Kernel-style C against an installed library.
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <string.h>

int main(void) {
  char* small = kmalloc(100, GFP_KERNEL);
  char* large = vmalloc(1 << 20);
  int fine = small && large && ksize(small) == 128;
  if (fine) {
    memset(small, 1, 100);
    memset(large, 1, 1 << 20);
  }
  kfree(small);
  vfree(large);
  return fine ? 0 : 1;
}
