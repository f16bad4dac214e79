// SPDX-License-Identifier: MIT
// The public C++ header and the kernel's C API in one program.
#include <linux/slab.h>

#include <quarry/memory_system.h>

int main() {
  void* object = kzalloc(64, GFP_ATOMIC);
  const bool fine = object != nullptr;
  kfree(object);
  return fine ? 0 : 1;
}
