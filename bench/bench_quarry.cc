// SPDX-License-Identifier: MIT
// Quarry through the kernel's C API: what a user's code includes and links.
#include "object_loops.h"
#include "suite.h"
#include "thread_loops.h"

// Last: its kernel headers define short macros.
#include "kernel_loops.h"

namespace quarry::bench {
namespace {

struct Kmalloc {
  static void* alloc(std::size_t bytes) { return kmalloc(bytes, GFP_KERNEL); }
  template <std::size_t Bytes>
  static void* alloc_constant() {
    return kmalloc(Bytes, GFP_KERNEL);
  }
  static void* alloc_zeroed(std::size_t bytes) { return kzalloc(bytes, GFP_KERNEL); }
  static void free(void* object) { kfree(object); }
};

int bench_main(int argc, char** argv) {
  Suite suite(argc, argv);
  add_object_loops<Kmalloc>(suite);
  add_kernel_loops(suite);
  add_thread_loops<Kmalloc>(suite);
  return suite.run();
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) { return quarry::bench::bench_main(argc, argv); }
