// SPDX-License-Identifier: MIT

// The caches of <linux/slab.h>.

#include <linux/slab.h>

#include "default_system.h"
#include "text_buffer.h"
#include "write_result.h"

namespace quarry {
namespace {

KmemCache* core(kmem_cache* cache) { return static_cast<KmemCache*>(cache); }

}  // namespace

extern "C" {

struct kmem_cache* kmem_cache_create(const char* name, unsigned int bytes, unsigned int align,
                                     slab_flags_t flags, void (*ctor)(void* object)) {
  return default_core().kmem.create(
      {.name = name, .bytes = bytes, .align = align, .flags = flags, .ctor = ctor}, QUARRY_PLACE);
}

struct kmem_cache* kmem_cache_create_usercopy(const char* name, unsigned int bytes,
                                              unsigned int align, slab_flags_t flags,
                                              unsigned int useroffset, unsigned int usersize,
                                              void (*ctor)(void* object)) {
  return default_core().kmem.create({.name = name,
                                     .bytes = bytes,
                                     .align = align,
                                     .flags = flags,
                                     .ctor = ctor,
                                     .user_offset = useroffset,
                                     .user_bytes = usersize},
                                    QUARRY_PLACE);
}

struct kmem_cache* __kmem_cache_create_args(const char* name, unsigned int bytes,
                                            struct kmem_cache_args* args, slab_flags_t flags) {
  static constexpr kmem_cache_args kDefault{};
  const kmem_cache_args& with = args == nullptr ? kDefault : *args;
  return default_core().kmem.create(
      {.name = name,
       .bytes = bytes,
       .align = with.align,
       .flags = flags,
       .ctor = with.ctor,
       .user_offset = with.useroffset,
       .user_bytes = with.usersize,
       .free_pointer = with.use_freeptr_offset ? with.freeptr_offset : CacheRequest::kNowhere},
      QUARRY_PLACE);
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

long validate_slab_cache(struct kmem_cache* cache) {
  return static_cast<long>(default_system.cache_check(core(cache)).slabs);
}

int* quarry_count_slab_errors(int* counter) { return count_slab_errors(counter); }

size_t quarry_alloc_traces(const char* cache_name, char* buffer, size_t size) {
  KmemCache* const cache = default_system.find_cache(cache_name);
  TextBuffer out(buffer, size);
  return cache != nullptr && default_system.alloc_traces(cache, out) ? out.length() : 0;
}

size_t quarry_free_traces(const char* cache_name, char* buffer, size_t size) {
  KmemCache* const cache = default_system.find_cache(cache_name);
  TextBuffer out(buffer, size);
  return cache != nullptr && default_system.free_traces(cache, out) ? out.length() : 0;
}

long quarry_slab_attr_show(const char* cache_name, const char* attribute, char* buffer,
                           size_t size) {
  const KmemCache* const cache = default_system.find_cache(cache_name);
  TextBuffer out(buffer, size);
  const bool shown = cache != nullptr && default_system.cache_attribute(cache, attribute, out);
  return shown ? static_cast<long>(out.length()) : -ENOENT;
}

long quarry_slab_attr_store(const char* cache_name, const char* attribute, const char* text,
                            size_t bytes) {
  KmemCache* const cache = default_system.find_cache(cache_name);
  if (cache == nullptr) return -ENOENT;
  return write_result(default_system.write_cache_attribute(cache, attribute, {text, bytes}), bytes);
}

int quarry_reap_caches(unsigned int cpu) {
  if (cpu >= default_core().pages.cpu_count()) return -EINVAL;
  default_system.reap_caches(CpuId(cpu));
  return 0;
}

bool slab_is_available() { return default_system.booted(); }

bool kmem_valid_obj(void* object) { return default_system.cache_of(object) != nullptr; }

}  // extern "C"

}  // namespace quarry
