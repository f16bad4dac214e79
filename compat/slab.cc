// SPDX-License-Identifier: MIT

// <linux/slab.h>: kmalloc and what is made of it.

#include <linux/slab.h>

#include "default_system.h"

namespace quarry {
namespace {

// slab.h counts the classes as the core does.
constexpr bool classes_agree() {
  for (size_t bytes = 1; bytes <= kMaxClassBytes; ++bytes) {
    if (quarry_size_class(bytes) != size_class(bytes)) return false;
  }
  return KMALLOC_MAX_CACHE_SIZE == kMaxClassBytes;
}
static_assert(classes_agree());
static_assert(KMALLOC_MAX_SIZE == kMaxKmallocBytes);

}  // namespace

extern "C" {

void* __kmalloc(size_t bytes, gfp_t gfp) {
  return default_core().kmem.kmalloc(bytes, Gfp(gfp), QUARRY_FIND_PLACE);
}

void* quarry_kmalloc_class(unsigned int size_class, gfp_t gfp, size_t bytes) {
  return default_core().kmem.kmalloc_class(size_class, Gfp(gfp), bytes, QUARRY_FIND_PLACE);
}

void* __kmalloc_node(size_t bytes, gfp_t gfp, int node) {
  return default_core().kmem.kmalloc_node(bytes, Gfp(gfp), NodeId{node}, QUARRY_PLACE);
}

void* kmalloc_large(size_t bytes, gfp_t gfp) {
  return default_core().kmem.kmalloc_large(bytes, Gfp(gfp), kNoNode, QUARRY_PLACE);
}

void* kmalloc_large_node(size_t bytes, gfp_t gfp, int node) {
  return default_core().kmem.kmalloc_large(bytes, Gfp(gfp), NodeId{node}, QUARRY_PLACE);
}

void* __kmalloc_node_track_caller(size_t bytes, gfp_t gfp, int node, unsigned long caller) {
  return default_core().kmem.kmalloc_node(bytes, Gfp(gfp), NodeId{node}, caller);
}

void* krealloc(const void* memory, size_t bytes, gfp_t gfp) {
  return default_core().kmem.krealloc(memory, bytes, Gfp(gfp), QUARRY_PLACE);
}

void kfree(const void* object) { default_core().kmem.kfree(object, QUARRY_FIND_PLACE); }

void kfree_sensitive(const void* object) {
  default_core().kmem.kfree_sensitive(object, QUARRY_PLACE);
}

void kfree_bulk(size_t count, void** objects) {
  default_core().kmem.free_bulk(nullptr, {objects, count}, QUARRY_PLACE);
}

size_t ksize(const void* object) { return default_system.ksize(object); }
size_t __ksize(const void* object) { return default_system.ksize(object); }

size_t kmalloc_size_roundup(size_t bytes) { return default_system.kmalloc_size_roundup(bytes); }

void* kvmalloc_node(size_t bytes, gfp_t gfp, int node) {
  return default_core().vmalloc.kvmalloc(bytes, Gfp(gfp), NodeId{node}, QUARRY_PLACE);
}

void kvfree(const void* address) { default_system.kvfree(address); }

void kvfree_sensitive(const void* address, size_t bytes) {
  if (ZERO_OR_NULL_PTR(address)) return;
  memzero_explicit(const_cast<void*>(address), bytes);
  default_system.kvfree(address);
}

void* kvrealloc(const void* memory, size_t old_bytes, size_t bytes, gfp_t gfp) {
  if (old_bytes >= bytes) return const_cast<void*>(memory);
  void* const moved = default_core().vmalloc.kvmalloc(bytes, Gfp(gfp), kNoNode, QUARRY_PLACE);
  if (moved == nullptr) return nullptr;
  memcpy(moved, memory, old_bytes);
  default_system.kvfree(memory);
  return moved;
}

}  // extern "C"

}  // namespace quarry
