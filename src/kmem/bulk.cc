// SPDX-License-Identifier: MIT

// Many objects in one call.

#include "kmem/kmem.h"

namespace quarry {

size_t Kmem::alloc_bulk(KmemCache& cache, Gfp gfp, std::span<void*> objects, uintptr_t place) {
  if (objects.empty() || !may_alloc(cache, gfp, place)) return 0;
  gfp = without_sleeping(gfp);
  size_t got = cache.cpu_arrays.pop_many(objects);
  while (got != objects.size()) {
    const uint32_t count = engine_->alloc(cache, {gfp, kNoNode, place}, objects.subspan(got));
    if (count == 0) {
      engine_->free(cache, objects.first(got), place);
      return 0;
    }
    got += count;
  }
  if (zeroes_on_alloc(cache, gfp)) {
    for (void* object : objects) __builtin_memset(object, 0, cache.object_size);
  }
  return got;
}

// The longest run from the front of objects of the cache and node that the first is of, no object
// twice in a row. Neighbours on one page are told without its descriptor.
size_t Kmem::run_length(std::span<void* const> objects) const {
  const Page* page = map_.page_at(objects[0]);
  const uint32_t kind = cache_and_node(*page);
  auto before = reinterpret_cast<uintptr_t>(objects[0]);
  void* const* at = objects.data() + 1;
  for (void* const* const end = objects.data() + objects.size(); at != end; ++at) {
    const auto object = reinterpret_cast<uintptr_t>(*at);
    const uintptr_t difference = object ^ before;
    before = object;
    if (difference - 1 < kPageBytes - 1) continue;
    page = map_.page_of(*at);
    if (page == nullptr || cache_and_node(*page) != kind || difference == 0) break;
  }
  return static_cast<size_t>(at - objects.data());
}

void Kmem::free_bulk(KmemCache* cache, std::span<void*> objects, uintptr_t place) {
  while (!objects.empty()) {
    KmemCache* owner = cache_of(objects.front());
    if (owner == nullptr || (cache != nullptr && owner != cache)) {
      cache == nullptr ? kfree(objects.front(), place) : free(*cache, objects.front(), place);
      objects = objects.subspan(1);
      continue;
    }
    std::span<void*> run = objects.first(run_length(objects));
    objects = objects.subspan(run.size());
    if (zeroes_on_free(*owner)) {
      for (void* object : run) kfree_slow(map_.page_at(object), object, place);
      continue;
    }
    // The first by itself: that notices an object that was freed just before.
    const uint16_t node = map_.page_at(run.front())->node;
    const PushResult first = owner->cpu_arrays.push(run.front(), node);
    if (first == PushResult::kTwice) report_object(*owner, run.front(), "Object already free");
    if (first != PushResult::kRefused) {
      run = run.subspan(1);
      run = run.subspan(owner->cpu_arrays.push_many(run, node));
    }
    if (run.empty()) continue;
    // What the array has no room for.
    owner->flushes.fetch_add(1, std::memory_order_relaxed);
    engine_->free(*owner, run, place);
  }
}

}  // namespace quarry
