// SPDX-License-Identifier: MIT

// The public calls that look and change nothing.

#include "base/same_text.h"
#include "system/core.h"

namespace quarry {

namespace {

constexpr const char* kEngineNames[] = {"slub", "slab", "slob"};

}  // namespace

unsigned slab_engine_count() { return std::size(kEngineNames); }

const char* slab_engine_name(SlabEngineKind kind) {
  return kEngineNames[static_cast<unsigned>(kind)];
}

bool find_slab_engine(const char* name, SlabEngineKind& kind) {
  for (unsigned i = 0; i != std::size(kEngineNames); ++i) {
    if (!same_text(name, kEngineNames[i])) continue;
    kind = static_cast<SlabEngineKind>(i);
    return true;
  }
  return false;
}

CacheInfo MemorySystem::cache_info(const KmemCache& cache) {
  const SlabCounts sums = cache.owner->counts(cache);
  return {.name = cache.name,
          .number = cache.number,
          .object_size = cache.object_size,
          .size = cache.size,
          .align = cache.align,
          .flags = cache.flags,
          .aliases = cache.users - 1,
          .user_offset = cache.user_offset,
          .user_bytes = cache.user_bytes,
          .objects_per_slab = cache.objects,
          .pages_per_slab = cache.order.pages(),
          .array_capacity = cache.array_capacity.load(std::memory_order_relaxed),
          .active_objects = sums.total_objects - sums.free_in_partial,
          .total_objects = sums.total_objects,
          .slabs = sums.slabs,
          .slab_pages = sums.pages,
          .cached_objects = cache.owner->cached_objects(cache),
          .array_hits = cache.hits.load(std::memory_order_relaxed),
          .array_refills = cache.refills.load(std::memory_order_relaxed),
          .array_flushes = cache.flushes.load(std::memory_order_relaxed)};
}

KmemCache* MemorySystem::find_cache(const char* name) const {
  return Core::of(*this).kmem.find(name);
}

void MemorySystem::for_each_cache(void (*visit)(void*, const CacheInfo&), void* context) const {
  Core::of(*this).kmem.for_each([&](const KmemCache& cache) { visit(context, cache_info(cache)); });
}

void MemorySystem::for_each_cache_name(const KmemCache& cache, void (*visit)(void*, const char*),
                                       void* context) {
  cache.owner->for_each_name(cache, [&](const char* name) { visit(context, name); });
}

void MemorySystem::describe(const void* address, TextSink& out) const {
  const Core& core = Core::of(*this);
  AreaInfo area;
  const auto number = reinterpret_cast<uintptr_t>(address);
  if (core.kmem.describe(address, out)) return;
  if (core.vmalloc.contains(address)) {
    if (!core.vmalloc.find_area(number, area)) return format(out, " vmalloc memory\n");
    char caller[128] = {};
    core.pages.platform().symbolize(area.caller, caller);
    return format(out, " %u-page vmalloc region starting at %#lx allocated at %s\n",
                  area.frame_count, area.start, static_cast<const char*>(caller));
  }
  const bool mapped = core.map.page_of(address) != nullptr;
  format(out, " %s\n",
         mapped                       ? "non-slab/vmalloc memory"
         : address == nullptr         ? "NULL pointer"
         : number == kZeroSizeAddress ? "zero-size pointer"
                                      : "non-paged memory");
}

void MemorySystem::for_each_free_block(void (*visit)(void*, const FreeBlock&),
                                       void* context) const {
  const PageAllocator& pages = Core::of(*this).pages;
  for (const Zone& zone : pages.zones()) {
    LockGuard guard(zone.lock);
    zone.buddy.for_each([&](Order order, MigrateType type, Pfn pfn) {
      visit(context, {.node = zone.node,
                      .zone = static_cast<uint8_t>(zone.type),
                      .migrate_type = static_cast<uint8_t>(type),
                      .order = order,
                      .pfn = pfn});
    });
  }
}

uint64_t MemorySystem::slab_page_count() const { return Core::of(*this).kmem.slab_pages(); }
uint64_t MemorySystem::vmalloc_page_count() const { return Core::of(*this).vmalloc.page_count(); }

uint64_t MemorySystem::page_table_page_count() const {
  return Core::of(*this).space.mapper().table_count();
}

bool MemorySystem::validate(TextSink& out) const {
  const Core& core = Core::of(*this);
  LockGuard guard(core.reap_lock);
  const bool pages = core.pages.validate(&out);
  const bool objects = core.kmem.validate(out);
  const bool areas = core.vmalloc.validate(out);
  const bool tables = core.space.validate(out);
  return pages && objects && areas && tables;
}

}  // namespace quarry
