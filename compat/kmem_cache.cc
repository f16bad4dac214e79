// SPDX-License-Identifier: MIT

// The caches of <linux/slab.h>.

#include <linux/slab.h>

#include "default_system.h"

namespace quarry {
namespace {

KmemCache* core(kmem_cache* cache) { return static_cast<KmemCache*>(cache); }

}  // namespace

extern "C" {

struct kmem_cache* kmem_cache_create(const char* name, unsigned int bytes, unsigned int align,
                                     slab_flags_t flags, void (*ctor)(void* object)) {
  return default_core().kmem.create(name, bytes, align, flags, ctor, QUARRY_PLACE);
}

void kmem_cache_destroy(struct kmem_cache* cache) {
  default_core().kmem.destroy(core(cache), QUARRY_PLACE);
}

int kmem_cache_shrink(struct kmem_cache* cache) {
  return default_system.cache_shrink(core(cache)) ? 0 : 1;
}

unsigned int kmem_cache_size(struct kmem_cache* cache) { return cache->object_size; }

void* kmem_cache_alloc(struct kmem_cache* cache, gfp_t gfp) {
  return default_core().kmem.alloc(*core(cache), Gfp(gfp), QUARRY_FIND_PLACE);
}

void* kmem_cache_alloc_node(struct kmem_cache* cache, gfp_t gfp, int node) {
  return default_core().kmem.alloc_node(*core(cache), Gfp(gfp), NodeId{node}, QUARRY_PLACE);
}

void kmem_cache_free(struct kmem_cache* cache, void* object) {
  default_core().kmem.free(*core(cache), object, QUARRY_FIND_PLACE);
}

int kmem_cache_alloc_bulk(struct kmem_cache* cache, gfp_t gfp, size_t count, void** objects) {
  return static_cast<int>(
      default_core().kmem.alloc_bulk(*core(cache), Gfp(gfp), {objects, count}, QUARRY_PLACE));
}

void kmem_cache_free_bulk(struct kmem_cache* cache, size_t count, void** objects) {
  default_core().kmem.free_bulk(core(cache), {objects, count}, QUARRY_PLACE);
}

}  // extern "C"

}  // namespace quarry
