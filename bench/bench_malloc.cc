// SPDX-License-Identifier: MIT
// The peers: whichever malloc the process has (glibc's, or a preloaded one), and mmap for ranges.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdlib>

#include "object_loops.h"
#include "range_loop.h"
#include "suite.h"
#include "thread_loops.h"

namespace quarry::bench {
namespace {

struct Malloc {
  static void* alloc(std::size_t bytes) { return std::malloc(bytes); }
  template <std::size_t Bytes>
  static void* alloc_constant() {
    return std::malloc(Bytes);
  }
  static void* alloc_zeroed(std::size_t bytes) { return std::calloc(1, bytes); }
  static void free(void* object) { std::free(object); }
};

struct AnonymousMmap {
  static void* map(std::size_t bytes) {
    void* range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return range == MAP_FAILED ? nullptr : range;
  }
  static void unmap(void* range, std::size_t bytes) { munmap(range, bytes); }
};

// The shared object that malloc comes from: a failed LD_PRELOAD is only a warning of the loader,
// and would pass glibc's figures off as another's.
const char* malloc_origin() {
  Dl_info info;
  void* symbol = dlsym(RTLD_DEFAULT, "malloc");
  return symbol != nullptr && dladdr(symbol, &info) != 0 ? info.dli_fname : "unknown";
}

int bench_main(int argc, char** argv) {
  Suite suite(argc, argv);
  benchmark::AddCustomContext("malloc", malloc_origin());
  add_object_loops<Malloc>(suite);
  suite.add("mmap_touch", touched_range<AnonymousMmap>, {1, 16, 256});
  add_thread_loops<Malloc>(suite);
  return suite.run();
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) { return quarry::bench::bench_main(argc, argv); }
