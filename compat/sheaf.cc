// SPDX-License-Identifier: MIT

// <linux/slab/sheaf.h>: objects taken in advance.

#include <linux/err.h>
#include <linux/slab.h>

#include "default_system.h"

struct slab_sheaf {
  unsigned int capacity;
  unsigned int size;
  void* object[];  // the first `size` are there
};

namespace quarry {
namespace {

slab_sheaf* make(unsigned capacity, gfp_t gfp, uintptr_t place) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(capacity, sizeof(void*), &bytes) ||
      __builtin_add_overflow(bytes, sizeof(slab_sheaf), &bytes)) {
    return nullptr;
  }
  const auto bits = Gfp(gfp & ~__GFP_ZERO);
  auto* const sheaf = static_cast<slab_sheaf*>(default_core().kmem.kmalloc(bytes, bits, place));
  if (sheaf == nullptr) return nullptr;
  sheaf->capacity = capacity;
  sheaf->size = 0;
  return sheaf;
}

// All that are missing or none. Zeroed they are when they are handed out.
bool fill(slab_sheaf& sheaf, kmem_cache* cache, gfp_t gfp, unsigned count, uintptr_t place) {
  const size_t missing = count - sheaf.size;
  const std::span<void*> room(sheaf.object + sheaf.size, missing);
  const auto bits = Gfp(gfp & ~__GFP_ZERO);
  if (default_core().kmem.alloc_bulk(*static_cast<KmemCache*>(cache), bits, room, place) == 0) {
    return false;
  }
  sheaf.size = count;
  return true;
}

}  // namespace

extern "C" {

struct slab_sheaf* kmem_cache_prefill_sheaf(struct kmem_cache* cache, gfp_t gfp,
                                            unsigned int count) {
  if (count == 0) return nullptr;
  slab_sheaf* const sheaf = make(count, gfp, QUARRY_PLACE);
  if (sheaf == nullptr || fill(*sheaf, cache, gfp, count, QUARRY_PLACE)) return sheaf;
  kfree(sheaf);
  return nullptr;
}

int kmem_cache_refill_sheaf(struct kmem_cache* cache, gfp_t gfp, struct slab_sheaf** sheaf,
                            unsigned int count) {
  if (sheaf == nullptr || *sheaf == nullptr) return -EINVAL;
  slab_sheaf* const old = *sheaf;
  if (old->size >= count) return 0;
  if (count <= old->capacity) return fill(*old, cache, gfp, count, QUARRY_PLACE) ? 0 : -ENOMEM;
  slab_sheaf* const larger = make(count, gfp, QUARRY_PLACE);
  if (larger == nullptr) return -ENOMEM;
  if (!fill(*larger, cache, gfp, count - old->size, QUARRY_PLACE)) {
    kfree(larger);
    return -ENOMEM;
  }
  memcpy(larger->object + larger->size, old->object, old->size * sizeof(void*));
  larger->size = count;
  kfree(old);
  *sheaf = larger;
  return 0;
}

void* kmem_cache_alloc_from_sheaf(struct kmem_cache* cache, gfp_t gfp, struct slab_sheaf* sheaf) {
  if (sheaf->size == 0) return nullptr;
  void* const object = sheaf->object[--sheaf->size];
  if ((gfp & __GFP_ZERO) != 0) memset(object, 0, cache->object_size);
  return object;
}

void kmem_cache_return_sheaf(struct kmem_cache* cache, gfp_t, struct slab_sheaf* sheaf) {
  kmem_cache_free_bulk(cache, sheaf->size, sheaf->object);
  kfree(sheaf);
}

unsigned int kmem_cache_sheaf_size(struct slab_sheaf* sheaf) { return sheaf->size; }

}  // extern "C"

}  // namespace quarry
