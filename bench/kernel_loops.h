// SPDX-License-Identifier: MIT
// The loops that only a kernel's allocator has: pages, object caches, vmalloc.
//   page_pair/ORDER              alloc_pages + __free_pages
//   page_batch_random/COUNT      COUNT pages of order 0, freed in random order
//   cache_pair/64, cache_bulk/64 kmem_cache, single and 64 at a time
//   vmalloc_fresh/PAGES          vmalloc, touch, vfree in memory with large free blocks
//   vmalloc_fragmented/PAGES     the same when no two free frames are buddies
#pragma once

#include "order.h"
#include "range_loop.h"
#include "suite.h"

// After the others: kernel headers define short macros.
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

namespace quarry::bench {

struct Vmalloc {
  static void* map(std::size_t bytes) { return vmalloc(bytes); }
  static void unmap(void* range, std::size_t) { vfree(range); }
};

inline void page_pair(benchmark::State& state) {
  const auto order = static_cast<unsigned int>(state.range(0));
  for (auto _ : state) {
    struct page* page = alloc_pages(GFP_KERNEL, order);
    if (page == nullptr) {
      state.SkipWithError("no pages");
      break;
    }
    __free_pages(page, order);
  }
  count_pairs(state, 1);
}

inline void page_batch_random(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint32_t> order = free_order(FreeOrder::kRandom, count);
  std::vector<struct page*> pages(count);
  for (auto _ : state) {
    for (struct page*& page : pages) {
      page = alloc_pages(GFP_KERNEL, 0);
      if (page == nullptr) [[unlikely]] {
        std::abort();
      }
    }
    for (std::uint32_t index : order) {
      __free_pages(pages[index], 0);
    }
  }
  count_pairs(state, state.range(0));
}

inline void cache_pair(benchmark::State& state) {
  const auto bytes = static_cast<unsigned int>(state.range(0));
  struct kmem_cache* cache = kmem_cache_create("bench_pair", bytes, 0, 0, nullptr);
  for (auto _ : state) {
    void* object = kmem_cache_alloc(cache, GFP_KERNEL);
    use(object);
    kmem_cache_free(cache, object);
  }
  count_pairs(state, 1);
  kmem_cache_destroy(cache);
}

inline void cache_bulk(benchmark::State& state) {
  const auto bytes = static_cast<unsigned int>(state.range(0));
  constexpr std::size_t kBulk = 64;
  struct kmem_cache* cache = kmem_cache_create("bench_bulk", bytes, 0, 0, nullptr);
  void* objects[kBulk];
  for (auto _ : state) {
    if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, kBulk, objects) == 0) {
      state.SkipWithError("no objects");
      break;
    }
    for (void* object : objects) {
      use(object);
    }
    kmem_cache_free_bulk(cache, kBulk, objects);
  }
  count_pairs(state, kBulk);
  kmem_cache_destroy(cache);
}

// While it lives, free memory is single frames: it takes every page there is and gives back those
// with an odd frame number, so no free frame has a free buddy.
class Fragmentation {
 public:
  Fragmentation() {
    // Without watermarks, or blocks of higher orders would be left; without reclaim or a report,
    // because running dry is the purpose.
    constexpr gfp_t kEverything = GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN;
    std::vector<struct page*> odd;
    while (struct page* page = alloc_pages(kEverything, 0)) {
      (page_to_pfn(page) % 2 != 0 ? odd : held_).push_back(page);
    }
    free_all(odd);
  }
  ~Fragmentation() { free_all(held_); }
  Fragmentation(const Fragmentation&) = delete;
  Fragmentation& operator=(const Fragmentation&) = delete;

 private:
  static void free_all(const std::vector<struct page*>& pages) {
    for (struct page* page : pages) {
      __free_pages(page, 0);
    }
  }

  std::vector<struct page*> held_;
};

inline void vmalloc_fragmented(benchmark::State& state) {
  const Fragmentation fragmentation;
  touched_range<Vmalloc>(state);
}

inline void add_kernel_loops(Suite& suite) {
  suite.add("page_pair", page_pair, {0, 3, 9});
  suite.add("page_batch_random", page_batch_random, {10000});
  suite.add("cache_pair", cache_pair, {64});
  suite.add("cache_bulk", cache_bulk, {64});
  suite.add("vmalloc_fresh", touched_range<Vmalloc>, {1, 16, 256});
  suite.add("vmalloc_fragmented", vmalloc_fragmented, {1, 16, 256});
}

}  // namespace quarry::bench
