// SPDX-License-Identifier: MIT

// The public calls about objects and areas. `place`, for reports, is whoever made the call.

#include "system/core.h"
#include "system/place.h"

namespace quarry {

void* MemorySystem::kmalloc(size_t bytes, Gfp gfp) {
  return Core::of(*this).kmem.kmalloc(bytes, gfp, QUARRY_FIND_PLACE);
}

void* MemorySystem::kmalloc_node(size_t bytes, Gfp gfp, NodeId node) {
  return Core::of(*this).kmem.kmalloc_node(bytes, gfp, node, QUARRY_PLACE);
}

void* MemorySystem::kmalloc_array(size_t count, size_t bytes, Gfp gfp) {
  size_t total = 0;
  if (__builtin_mul_overflow(count, bytes, &total)) return nullptr;
  return Core::of(*this).kmem.kmalloc(total, gfp, QUARRY_PLACE);
}

void* MemorySystem::krealloc(const void* object, size_t bytes, Gfp gfp) {
  return Core::of(*this).kmem.krealloc(object, bytes, gfp, QUARRY_PLACE);
}

void MemorySystem::kfree(const void* object) {
  Core::of(*this).kmem.kfree(object, QUARRY_FIND_PLACE);
}

void MemorySystem::kfree_sensitive(const void* object) {
  Core::of(*this).kmem.kfree_sensitive(object, QUARRY_PLACE);
}

size_t MemorySystem::ksize(const void* object) const { return Core::of(*this).kmem.ksize(object); }

size_t MemorySystem::kmalloc_size_roundup(size_t bytes) const {
  return Core::of(*this).kmem.size_roundup(bytes);
}

void* MemorySystem::kmemdup(const void* source, size_t bytes, Gfp gfp) {
  if (source == nullptr) return nullptr;
  void* copy = Core::of(*this).kmem.kmalloc(bytes, gfp, QUARRY_PLACE);
  if (copy != nullptr) __builtin_memcpy(copy, source, bytes);
  return copy;
}

char* MemorySystem::kstrdup(const char* text, Gfp gfp) {
  if (text == nullptr) return nullptr;
  size_t length = 0;
  while (text[length] != '\0') ++length;
  void* copy = Core::of(*this).kmem.kmalloc(length + 1, gfp, QUARRY_PLACE);
  if (copy != nullptr) __builtin_memcpy(copy, text, length + 1);
  return static_cast<char*>(copy);
}

KmemCache* MemorySystem::cache_create(const char* name, size_t bytes, const CacheOptions& options) {
  return Core::of(*this).kmem.create({.name = name,
                                      .bytes = bytes,
                                      .align = options.align,
                                      .flags = options.flags,
                                      .ctor = options.ctor,
                                      .user_offset = options.user_offset,
                                      .user_bytes = options.user_bytes},
                                     QUARRY_PLACE);
}

void MemorySystem::cache_destroy(KmemCache* cache) {
  Core::of(*this).kmem.destroy(cache, QUARRY_PLACE);
}

void* MemorySystem::cache_alloc(KmemCache* cache, Gfp gfp) {
  return Core::of(*this).kmem.alloc(*cache, gfp, QUARRY_FIND_PLACE);
}

void* MemorySystem::cache_alloc_node(KmemCache* cache, Gfp gfp, NodeId node) {
  return Core::of(*this).kmem.alloc_node(*cache, gfp, node, QUARRY_PLACE);
}

void MemorySystem::cache_free(KmemCache* cache, void* object) {
  Core::of(*this).kmem.free(*cache, object, QUARRY_FIND_PLACE);
}

size_t MemorySystem::cache_alloc_bulk(KmemCache* cache, Gfp gfp, std::span<void*> objects) {
  return Core::of(*this).kmem.alloc_bulk(*cache, gfp, objects, QUARRY_PLACE);
}

void MemorySystem::cache_free_bulk(KmemCache* cache, std::span<void*> objects) {
  Core::of(*this).kmem.free_bulk(cache, objects, QUARRY_PLACE);
}

bool MemorySystem::cache_shrink(KmemCache* cache) { return Core::of(*this).kmem.shrink(*cache); }

int* count_slab_errors(int* counter) {
  quarry_context& context = Arch::context();
  int* const before = context.slab_errors;
  context.slab_errors = counter;
  return before;
}

CacheCheck MemorySystem::cache_check(KmemCache* cache) {
  const SlabCheck check = Core::of(*this).kmem.check(*cache);
  return {.slabs = check.slabs, .errors = check.errors};
}

bool MemorySystem::alloc_traces(KmemCache* cache, TextSink& out) const {
  return Core::of(*this).kmem.engine().write_traces(*cache, TrackKind::kAlloc, out);
}

bool MemorySystem::free_traces(KmemCache* cache, TextSink& out) const {
  return Core::of(*this).kmem.engine().write_traces(*cache, TrackKind::kFree, out);
}

void MemorySystem::reap_caches(CpuId cpu) {
  Core& core = Core::of(*this);
  LockGuard guard(core.reap_lock);
  core.kmem.reap(cpu);
}

KmemCache* MemorySystem::cache_of(const void* object) const {
  return Core::of(*this).kmem.cache_of(object);
}

void* MemorySystem::vmalloc(size_t bytes, Gfp gfp, NodeId node) {
  return Core::of(*this).vmalloc.alloc(bytes, gfp, node, QUARRY_PLACE);
}

void MemorySystem::vfree(const void* address) {
  Core::of(*this).vmalloc.free(address, QUARRY_PLACE);
}

void* MemorySystem::vmap(std::span<Page* const> pages, MapAccess access) {
  return Core::of(*this).vmalloc.map_pages(pages, access, QUARRY_PLACE);
}

void MemorySystem::vunmap(const void* address) {
  Core::of(*this).vmalloc.unmap(address, QUARRY_PLACE);
}

Page* MemorySystem::vmalloc_to_page(const void* address) const {
  return Core::of(*this).vmalloc.to_page(address);
}

bool MemorySystem::is_vmalloc_addr(const void* address) const {
  return Core::of(*this).vmalloc.contains(address);
}

void* MemorySystem::reserve_area(size_t bytes, size_t align) {
  return Core::of(*this).vmalloc.reserve_area(bytes, align, QUARRY_PLACE);
}

void MemorySystem::free_area(const void* address) {
  Core::of(*this).vmalloc.free_area(address, QUARRY_PLACE);
}

void MemorySystem::vm_unmap_aliases() { Core::of(*this).vmalloc.purge(); }

void* MemorySystem::kvmalloc(size_t bytes, Gfp gfp, NodeId node) {
  return Core::of(*this).vmalloc.kvmalloc(bytes, gfp, node, QUARRY_PLACE);
}

void MemorySystem::kvfree(const void* address) {
  Core::of(*this).vmalloc.kvfree(address, QUARRY_PLACE);
}

}  // namespace quarry
