// SPDX-License-Identifier: MIT
#include "replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace quarry::tool {
namespace {

constexpr uint64_t kEventsPerProgress = uint64_t{1} << 15;
// What the layout hash takes for an allocation that failed.
constexpr uint64_t kNowhere = ~uint64_t{0};

}  // namespace

Replay::Replay(TraceReader& reader, Target& target)
    : reader_(reader),
      target_(target),
      objects_(reader.header().slots.object),
      blocks_(reader.header().slots.page),
      areas_(reader.header().slots.area),
      percpu_bytes_(reader.header().slots.percpu),
      target_caches_(reader.header().caches.size(), kNoCache) {}

RunResult Replay::run(const Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  TraceEvent event{};
  while (reader_.next(event)) {
    ++result_.events_by_op[static_cast<size_t>(event.op)];
    ++result_.events_by_context[static_cast<size_t>(event.context)];
    result_.duration_ns += event.delta_ns;
    const uint32_t where = uint32_t{event.cpu} << 8 | static_cast<uint32_t>(event.context);
    if (where != where_) {
      target_.run_on(CpuId{event.cpu}, event.context);
      where_ = where;
    }
    apply(event);
    if (reader_.events() % kEventsPerProgress == 0 && progress) progress(reader_.events());
  }
  result_.replay_time = std::chrono::steady_clock::now() - begin;
  finish();
  return std::move(result_);
}

void Replay::apply(const TraceEvent& event) {
  switch (event.op) {
    case Op::kKmalloc:
    case Op::kCacheAlloc:
      return allocate_object(event);
    case Op::kKfree:
    case Op::kCacheFree:
    case Op::kInferredFree:
      return free_object(event);
    case Op::kPageAlloc:
      return allocate_block(event);
    case Op::kPageFree:
    case Op::kInferredPageFree:
      return free_block(event);
    case Op::kPageSplit:
      return split_block(event);
    case Op::kAreaAlloc:
      return allocate_area(event);
    case Op::kAreaFree:
      return free_area(event);
    case Op::kPercpuAlloc:
      return allocate_percpu(event);
    case Op::kPercpuFree:
      return free_percpu(event);
    case Op::kUnknownFree:
      return count_unknown_free(event);
    case Op::kAreaPurge:
    case Op::kMark:
      return;
  }
}

void Replay::require_dead(bool live, const char* kind, uint32_t slot) const {
  if (!live) [[likely]] {
    return;
  }
  reader_.fail(fmt::format("{} slot {} is allocated while it is live", kind, slot));
}

KindCounts& Replay::kind_of(const ObjectSlot& slot) {
  return slot.from_kmalloc ? result_.kmalloc : result_.cache_objects;
}

KindCounts& Replay::kind_of(const BlockSlot& slot) {
  return is_backing_site(slot.site) ? result_.backing : result_.blocks;
}

void Replay::allocate_object(const TraceEvent& event) {
  ObjectSlot& slot = objects_[event.slot];
  require_dead(slot.granted_bytes != 0, "object", event.slot);
  slot.from_kmalloc = event.op == Op::kKmalloc;
  if (slot.from_kmalloc) {
    slot.requested_bytes = static_cast<uint32_t>(event.requested_bytes);
    slot.granted_bytes = static_cast<uint32_t>(event.granted_bytes);
  } else {
    const TraceCache& cache = reader_.header().caches[event.cache];
    slot.requested_bytes = cache.object_bytes;
    slot.granted_bytes = cache.slot_bytes;
  }
  kind_of(slot).add();
  result_.live.add(slot.requested_bytes, slot.granted_bytes);

  slot.object = allocate_on_target(event, slot);
  if (slot.object == nullptr) [[unlikely]] {
    ++kind_of(slot).failed;
    layout_.add(kNowhere);
    return;
  }
  const Placement placement = target_.object_placement(slot.object);
  note_placement(event, placement);
  enter_cache(slot, placement.cache);
  follow_slab_pages();
}

void* Replay::allocate_on_target(const TraceEvent& event, const ObjectSlot& slot) {
  const TraceGfp& gfp = reader_.header().gfps[event.gfp];
  if (slot.from_kmalloc) return target_.kmalloc(slot.requested_bytes, gfp.flags, gfp.node);
  const CacheId cache = target_cache(event.cache);
  if (cache == kNoCache) return nullptr;
  return target_.cache_alloc(cache, gfp.flags, gfp.node);
}

// The target's cache for one of the trace's, made at its first use.
CacheId Replay::target_cache(uint32_t trace_cache) {
  CacheId& cache = target_caches_[trace_cache];
  if (cache == kNoCache) cache = target_.create_cache(reader_.header().caches[trace_cache]);
  return cache;
}

void Replay::note_placement(const TraceEvent& event, const Placement& placement) {
  layout_.add(uint64_t{event.slot} << 8 | static_cast<uint64_t>(event.op));
  layout_.add(uint64_t{placement.node} << 56 | placement.frame << 12 | placement.offset);
}

void Replay::enter_cache(ObjectSlot& slot, CacheId cache) {
  slot.cache = cache;
  if (cache == kNoCache) return;
  if (cache >= use_.size()) use_.resize(cache + size_t{1});
  ++use_[cache].objects;
  use_[cache].requested_bytes += slot.requested_bytes;
}

void Replay::leave_cache(const ObjectSlot& slot) {
  if (slot.cache == kNoCache) return;
  --use_[slot.cache].objects;
  use_[slot.cache].requested_bytes -= slot.requested_bytes;
}

// Keeps the peak, and what every cache held close to it: looking at all caches at each new peak
// would cost more than the replay, so this waits until slabs have grown by another hundredth.
void Replay::follow_slab_pages() {
  const uint64_t pages = target_.slab_pages();
  if (pages <= result_.peak_slab_pages) return;
  result_.peak_slab_pages = pages;
  if (pages < next_use_snapshot_pages_) return;
  result_.use_near_peak = use_by_cache(target_.caches());
  next_use_snapshot_pages_ = pages + pages / 100 + 1;
}

std::vector<CacheUse> Replay::use_by_cache(const std::vector<CacheState>& caches) const {
  std::vector<CacheUse> use = use_;
  for (const CacheState& cache : caches) {
    if (cache.id >= use.size()) use.resize(cache.id + size_t{1});
    use[cache.id].slab_pages = cache.info.slab_pages;
  }
  return use;
}

void Replay::free_object(const TraceEvent& event) {
  ObjectSlot& slot = objects_[event.slot];
  if (slot.granted_bytes == 0) {
    ++result_.unmatched.dead_slots;
    return;
  }
  kind_of(slot).remove(event.op == Op::kInferredFree);
  result_.live.remove(slot.requested_bytes, slot.granted_bytes);
  slot.granted_bytes = 0;
  if (slot.object == nullptr) return;
  leave_cache(slot);
  // Linux allows kfree() for an object of a cache; an inferred free takes the usual way.
  if (slot.from_kmalloc || event.op == Op::kKfree) {
    target_.kfree(slot.object);
  } else {
    target_.cache_free(slot.cache, slot.object);
  }
  slot.object = nullptr;
}

void Replay::allocate_block(const TraceEvent& event) {
  BlockSlot& slot = blocks_[event.slot];
  require_dead(slot.live, "page", event.slot);
  slot = {nullptr, reader_.site_class(event), Order{event.order}, true, false};
  kind_of(slot).add();
  result_.linux_pages.add(slot.site, slot.order.pages());
  if (is_backing_site(slot.site)) return;

  const TraceGfp& gfp = reader_.header().gfps[event.gfp];
  // A compound block could not be split, which a later event may ask for; it lies where a plain one
  // does.
  slot.block = target_.alloc_pages(slot.order, gfp.flags & ~gfp::kComp, gfp.node);
  if (slot.block == nullptr) {
    ++result_.blocks.failed;
    layout_.add(kNowhere);
    return;
  }
  result_.block_pages.add(slot.order.pages());
  note_placement(event, target_.block_placement(slot.block));
}

void Replay::free_block(const TraceEvent& event) {
  BlockSlot& slot = blocks_[event.slot];
  if (!slot.live) {
    ++result_.unmatched.dead_slots;
    return;
  }
  kind_of(slot).remove(event.op == Op::kInferredPageFree);
  result_.linux_pages.remove(slot.site, slot.order.pages());
  slot.live = false;
  if (slot.block == nullptr) return;
  result_.block_pages.remove(slot.order.pages());
  if (slot.single_pages) {
    for (uint32_t i = 0; i < slot.order.pages(); ++i) target_.free_pages(slot.block + i, Order{0});
  } else {
    target_.free_pages(slot.block, slot.order);
  }
}

void Replay::split_block(const TraceEvent& event) {
  BlockSlot& lower = blocks_[event.slot];
  BlockSlot& upper = blocks_[event.other_slot];
  if (!lower.live || lower.order == Order{0}) {
    reader_.fail(fmt::format("page slot {} has nothing to split", event.slot));
  }
  require_dead(upper.live, "page", event.other_slot);
  if (lower.block != nullptr && !lower.single_pages) target_.split_pages(lower.block, lower.order);
  lower.single_pages = true;
  --lower.order;
  upper = lower;
  if (lower.block != nullptr) upper.block = lower.block + lower.order.pages();
  ++kind_of(upper).live;
}

void Replay::allocate_area(const TraceEvent& event) {
  AreaSlot& slot = areas_[event.slot];
  require_dead(slot.bytes != 0, "area", event.slot);
  slot.bytes = event.requested_bytes;
  slot.has_memory = reader_.site_class(event) == SiteClass::kAreaVmalloc;
  KindCounts& kind = slot.has_memory ? result_.vmalloc : result_.ranges;
  kind.add();
  slot.area = slot.has_memory ? target_.vmalloc(slot.bytes - kPageBytes)
                              : target_.reserve_area(std::max(slot.bytes - kPageBytes, kPageBytes),
                                                     event.align_bytes);
  layout_.add(uint64_t{event.slot} << 8 | static_cast<uint64_t>(event.op));
  if (slot.area == nullptr) {
    ++kind.failed;
    layout_.add(kNowhere);
    return;
  }
  layout_.add(target_.area_offset(slot.area));
  follow_slab_pages();
  if (slot.has_memory) result_.vmalloc_bytes.add(slot.bytes - kPageBytes);
}

void Replay::free_area(const TraceEvent& event) {
  AreaSlot& slot = areas_[event.slot];
  if (slot.bytes == 0) {
    ++result_.unmatched.dead_slots;
    return;
  }
  (slot.has_memory ? result_.vmalloc : result_.ranges).remove(/*inferred=*/false);
  const uint64_t bytes = std::exchange(slot.bytes, 0);
  if (slot.area == nullptr) return;
  if (slot.has_memory) {
    target_.vfree(slot.area);
    result_.vmalloc_bytes.remove(bytes - kPageBytes);
  } else {
    target_.release_area(slot.area);
  }
}

void Replay::allocate_percpu(const TraceEvent& event) {
  uint64_t& bytes = percpu_bytes_[event.slot];
  require_dead(bytes != 0, "per-CPU", event.slot);
  bytes = event.granted_bytes;
  result_.percpu.add();
  result_.percpu_bytes.add(bytes);
}

void Replay::free_percpu(const TraceEvent& event) {
  const uint64_t bytes = std::exchange(percpu_bytes_[event.slot], 0);
  if (bytes == 0) {
    ++result_.unmatched.dead_slots;
    return;
  }
  result_.percpu.remove(/*inferred=*/false);
  result_.percpu_bytes.remove(bytes);
}

void Replay::count_unknown_free(const TraceEvent& event) {
  UnmatchedFrees& frees = result_.unmatched;
  ++(event.detail == 'p'   ? frees.before_trace
     : event.detail == 'h' ? frees.hidden_allocation
                           : frees.unexplained);
}

// The header says how many slots are live after the last event: a trace that contradicts itself has
// lost or gained lines.
void Replay::require_live_end() const {
  const auto& promised = reader_.header().live_end;
  if (!promised) return;
  const auto check = [this](const char* kind, uint64_t live, uint64_t expected) {
    if (live == expected) return;
    reader_.fail(fmt::format("{} {} slots are live at the end, but the header declares {}", live,
                             kind, expected));
  };
  check("object", result_.live.objects.now, promised->object);
  check("page", result_.blocks.live + result_.backing.live, promised->page);
  check("area", result_.vmalloc.live + result_.ranges.live, promised->area);
  check("per-CPU", result_.percpu.live, promised->percpu);
}

void Replay::finish() {
  require_live_end();
  const TraceHeader& header = reader_.header();
  result_.title = header.title;
  result_.source = header.source;
  result_.trace_cpus = header.cpus;
  result_.events = reader_.events();
  result_.end_slab_pages = target_.slab_pages();
  result_.caches = target_.caches();
  result_.use_at_end = use_by_cache(result_.caches);
  result_.buddyinfo = target_.buddyinfo();
  result_.validate = target_.validate();
  result_.report = target_.report();
  for (const FreeBlock& block : target_.free_blocks()) {
    layout_.add(uint64_t(uint16_t(block.node.value())) << 24 | uint64_t{block.zone} << 16 |
                uint64_t{block.order.value()} << 8 | block.migrate_type);
    layout_.add(block.pfn.value());
  }
  result_.layout_hash = layout_.value();
}

}  // namespace quarry::tool
