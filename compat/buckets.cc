// SPDX-License-Identifier: MIT

// <linux/slab/buckets.h>: sets of size classes.

#include <linux/kernel.h>
#include <linux/slab.h>

#include "default_system.h"

static_assert(QUARRY_SIZE_CLASSES == quarry::kClasses);

namespace quarry {
namespace {

// What a cache of one class has of the user's region.
unsigned region_in(unsigned class_bytes, unsigned offset, unsigned bytes) {
  if (class_bytes <= offset) return 0;
  return bytes < class_bytes - offset ? bytes : class_bytes - offset;
}

void give_up(kmem_buckets* buckets) {
  kmem_cache* last = nullptr;
  for (kmem_cache* cache : *buckets) {
    if (cache != last) kmem_cache_destroy(cache);
    last = cache;
  }
  kfree(buckets);
}

}  // namespace

extern "C" {

kmem_buckets* kmem_buckets_create(const char* name, slab_flags_t flags, unsigned int useroffset,
                                  unsigned int usersize, void (*ctor)(void* object)) {
  if (default_system.slab_engine() == SlabEngineKind::kSlob) {
    return static_cast<kmem_buckets*>(ZERO_SIZE_PTR);
  }
  auto* const buckets = static_cast<kmem_buckets*>(kzalloc(sizeof(kmem_buckets), GFP_KERNEL));
  if (buckets == nullptr) return nullptr;
  for (unsigned c = kClasses; c-- != 0;) {
    const uint32_t bytes = kClassBytes[c];
    if (kmalloc_size_roundup(bytes) != bytes) {  // kmalloc has no such class: SLAB's small ones
      (*buckets)[c] = (*buckets)[c + 1];
      continue;
    }
    FixedText<64> of_class;
    const bool kilo = bytes >= 1024;
    format(of_class, "%s-%u%s", name, kilo ? bytes / 1024 : bytes, kilo ? "k" : "");
    const unsigned region = region_in(bytes, useroffset, usersize);
    (*buckets)[c] = kmem_cache_create_usercopy(of_class.c_str(), bytes, 0, flags | SLAB_NO_MERGE,
                                               region == 0 ? 0 : useroffset, region, ctor);
    if ((*buckets)[c] == nullptr) {
      give_up(buckets);
      return nullptr;
    }
  }
  return buckets;
}

void* quarry_kmem_buckets_alloc(kmem_buckets* buckets, size_t bytes, gfp_t gfp,
                                unsigned long caller) {
  Kmem& kmem = default_core().kmem;
  if (ZERO_OR_NULL_PTR(buckets) || bytes == 0 || bytes > KMALLOC_MAX_CACHE_SIZE) {
    return kmem.kmalloc(bytes, Gfp(gfp), caller);
  }
  auto* const cache = static_cast<KmemCache*>((*buckets)[size_class(bytes)]);
  return kmem.alloc(*cache, Gfp(gfp), caller);
}

void* kmem_buckets_alloc(kmem_buckets* buckets, size_t bytes, gfp_t gfp) {
  return quarry_kmem_buckets_alloc(buckets, bytes, gfp, QUARRY_PLACE);
}

void* kmem_buckets_valloc(kmem_buckets* buckets, size_t bytes, gfp_t gfp) {
  if (bytes <= PAGE_SIZE) return quarry_kmem_buckets_alloc(buckets, bytes, gfp, QUARRY_PLACE);
  if (bytes <= KMALLOC_MAX_CACHE_SIZE) {
    // As kvmalloc() tries it: without effort and without a word.
    gfp_t lightly = (gfp | __GFP_NOWARN) & ~__GFP_NOFAIL;
    if ((gfp & __GFP_RETRY_MAYFAIL) == 0) lightly |= __GFP_NORETRY;
    void* const object = quarry_kmem_buckets_alloc(buckets, bytes, lightly, QUARRY_PLACE);
    if (object != nullptr) return object;
  }
  return default_core().vmalloc.kvmalloc(bytes, Gfp(gfp), kNoNode, QUARRY_PLACE);
}

}  // extern "C"

}  // namespace quarry
