// SPDX-License-Identifier: MIT
#include "replay/system_target.h"

#include <quarry/context.h>

#include <utility>

namespace quarry::replay {
namespace {

// Nobody else runs on the machine who could free memory, so that insisting would stop it for good.
// And there are no memory groups: accounted requests are served as in a kernel that was started
// with cgroup.memory=nokmem.
Gfp may_fail(Gfp flags) { return flags & ~(gfp::kNoFail | gfp::kAccount); }

Section section_of(Context context) {
  switch (context) {
    case Context::kSoftirq:
      return Section::kSoftirq;
    case Context::kHardirq:
      return Section::kHardirq;
    default:
      return Section::kNmi;
  }
}

// The traces name constructors, not what they do: one that leaves its mark, so that its cache is
// treated as one whose objects keep their state.
void mark_as_constructed(void* object) { __builtin_memset(object, 0, sizeof(void*)); }

uint32_t cache_flags(const TraceCache& traits) {
  uint32_t flags = 0;
  if (traits.reclaimable != 0) flags |= QUARRY_SLAB_RECLAIM_ACCOUNT;
  if (traits.typesafe_by_rcu != 0) flags |= QUARRY_SLAB_TYPESAFE_BY_RCU;
  if (traits.hwcache_align != 0) flags |= QUARRY_SLAB_HWCACHE_ALIGN;
  return flags;
}

}  // namespace

void SystemTarget::run_on(CpuId cpu, Context context) {
  cpus_.go_to(cpus_.context, cpu);
  enter(context);
}

// Returns what the CPU did before.
Context SystemTarget::enter(Context context) {
  const Context before = std::exchange(context_, context);
  if (before == context) return before;
  if (before != Context::kTask) leave(section_of(before));
  if (context != Context::kTask) quarry::enter(section_of(context));
  return before;
}

// A node that only the recorded machine had is no preference here.
NodeId SystemTarget::existing(NodeId node) const {
  return node.value() < static_cast<int>(system_.node_count()) ? node : kNoNode;
}

void* SystemTarget::kmalloc(size_t bytes, const TraceGfp& gfp) {
  return system_.kmalloc_node(bytes, may_fail(gfp.flags), existing(gfp.node));
}

// SLOB cannot tell by an object which cache it is of; with it, Linux wants the cache named.
void SystemTarget::kfree(void* object, KmemCache* cache) {
  if (cache != nullptr && system_.cache_of(object) == nullptr) {
    system_.cache_free(cache, object);
  } else {
    system_.kfree(object);
  }
}

// In task context whatever happens around it, because Linux makes no cache in an interrupt: on the
// recorded machine the cache had been there for long.
KmemCache* SystemTarget::create_cache(const TraceCache& traits) {
  const Context context = enter(Context::kTask);
  KmemCache* const cache =
      system_.cache_create(traits.name, traits.object_bytes,
                           {.align = traits.align_bytes,
                            .flags = cache_flags(traits),
                            .ctor = traits.has_ctor != 0 ? mark_as_constructed : nullptr});
  enter(context);
  return cache;
}

void* SystemTarget::cache_alloc(KmemCache* cache, const TraceGfp& gfp) {
  return system_.cache_alloc_node(cache, may_fail(gfp.flags), existing(gfp.node));
}

// What waits for readers is freed at once: the trace has none, and so it happens at the same event
// in every run.
void SystemTarget::cache_free(KmemCache* cache, void* object) {
  system_.cache_free(cache, object);
  const Context context = enter(Context::kTask);
  system_.step();
  enter(context);
}

Page* SystemTarget::alloc_pages(Order order, const TraceGfp& gfp) {
  return system_.alloc_pages(may_fail(gfp.flags), order, existing(gfp.node));
}

void SystemTarget::free_pages(Page* block, Order order) { system_.free_pages(block, order); }

void SystemTarget::split_pages(Page* block, Order order) { system_.split_page(block, order); }

void* SystemTarget::vmalloc(size_t bytes) { return system_.vmalloc(bytes); }

void SystemTarget::vfree(void* area) { system_.vfree(area); }

void* SystemTarget::reserve_area(size_t bytes, size_t align_bytes) {
  return system_.reserve_area(bytes, align_bytes);
}

void SystemTarget::release_area(void* area) { system_.free_area(area); }

Placement SystemTarget::object_placement(const void* object) const {
  const auto offset = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(object) % kPageBytes);
  return placement(*system_.virt_to_page(object), offset);
}

Placement SystemTarget::block_placement(const Page* block) const { return placement(*block, 0); }

Placement SystemTarget::placement(const Page& page, uint32_t offset) const {
  return {system_.page_to_pfn(&page).value(), offset,
          static_cast<uint16_t>(system_.page_node(&page).value()), page.cache};
}

uint64_t SystemTarget::area_offset(const void* area) const {
  return VirtAddr(area) - system_.platform().vmalloc_start();
}

uint64_t SystemTarget::slab_pages() const { return system_.slab_page_count(); }

void SystemTarget::for_each_free_block(void (*visit)(void* context, const FreeBlock& block),
                                       void* context) {
  system_.drain_all();
  system_.for_each_free_block(visit, context);
}

}  // namespace quarry::replay
