// SPDX-License-Identifier: MIT

// Many objects in one call.

#include "kmem/kmem.h"

namespace quarry {

size_t Kmem::alloc_bulk(KmemCache& cache, Gfp gfp, std::span<void*> objects, uintptr_t place) {
  if (objects.empty() || !may_alloc(cache, gfp, place)) return 0;
  gfp = without_sleeping(gfp);
  size_t got = cache.cpu_arrays.pop_many(objects);
  while (got != objects.size()) {
    const uint32_t count = engine_->alloc(cache, gfp, kNoNode, objects.subspan(got));
    if (count == 0) {
      engine_->free(cache, objects.first(got));
      return 0;
    }
    got += count;
  }
  if (any(gfp, gfp::kZero)) {
    for (void* object : objects) __builtin_memset(object, 0, cache.object_size);
  }
  return got;
}

void Kmem::free_bulk(KmemCache* cache, std::span<void*> objects) {
  while (!objects.empty()) {
    KmemCache* owner = cache_of(objects.front());
    if (owner == nullptr || (cache != nullptr && owner != cache)) {
      cache == nullptr ? kfree(objects.front()) : free(*cache, objects.front());
      objects = objects.subspan(1);
      continue;
    }
    // The longest run of objects of one cache and one node.
    const uint16_t node = map_.page_of(objects.front())->node;
    size_t run = 1;
    while (run != objects.size() && objects[run] != objects[run - 1] &&
           cache_of(objects[run]) == owner && map_.page_of(objects[run])->node == node) {
      ++run;
    }
    // The first by itself: that notices an object that was freed just before, and makes room.
    kfree(objects.front());
    const std::span<void*> rest = objects.subspan(1, run - 1);
    size_t gone = owner->cpu_arrays.push_many(rest, node);
    if (gone == 0) {
      engine_->free(*owner, rest);
      gone = rest.size();
    }
    objects = objects.subspan(1 + gone);
  }
}

}  // namespace quarry
