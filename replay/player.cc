// SPDX-License-Identifier: MIT
#include "replay/player.h"

#include <quarry/bits.h>

#include <utility>

namespace quarry::replay {
namespace {

// What the layout hash takes for an allocation that failed.
constexpr uint64_t kNoPlace = ~uint64_t{0};
constexpr uint64_t kTableAlign = 16;

// Cuts tables from one piece of memory, or adds up what they need.
class Carver {
 public:
  explicit Carver(void* memory) : memory_(reinterpret_cast<uintptr_t>(memory)) {}

  template <class T>
  T* take(size_t count) {
    const uintptr_t table = memory_ + static_cast<uintptr_t>(used_);
    used_ += round_up(uint64_t{count} * sizeof(T), kTableAlign);
    return reinterpret_cast<T*>(table);
  }
  uint64_t used() const { return used_; }

 private:
  uintptr_t memory_;
  uint64_t used_ = 0;
};

constexpr uint64_t step_of(const Event& event) {
  return uint64_t{event.slot} << 8 | static_cast<uint64_t>(event.op);
}

}  // namespace

uint64_t Player::table_bytes(const TraceTables& trace) {
  Carver carver(nullptr);
  carver.take<ObjectSlot>(trace.slots.object);
  carver.take<BlockSlot>(trace.slots.page);
  carver.take<AreaSlot>(trace.slots.area);
  carver.take<uint64_t>(trace.slots.percpu);
  carver.take<KmemCache*>(trace.caches.size());
  return carver.used();
}

Player::Player(const TraceTables& trace, EventSource& source, Target& target, Observer* observer,
               void* tables)
    : trace_(trace),
      source_(source),
      target_(target),
      observer_(observer),
      fields_(trace),
      decoder_(fields_, trace.cpus) {
  Carver carver(tables);
  objects_ = carver.take<ObjectSlot>(trace.slots.object);
  blocks_ = carver.take<BlockSlot>(trace.slots.page);
  areas_ = carver.take<AreaSlot>(trace.slots.area);
  percpu_bytes_ = carver.take<uint64_t>(trace.slots.percpu);
  caches_ = carver.take<KmemCache*>(trace.caches.size());
  fetch();
}

// Reads the next event, which is the only one that a player holds.
void Player::fetch() {
  if (at_ == end_) [[unlikely]] {
    const std::span<const uint8_t> block = source_.next_block();
    at_ = block.data();
    end_ = at_ + block.size();
    if (block.empty()) {
      more_ = false;
      if (counts_.events != trace_.events) {
        fail("the events end here, but the trace declares %llu", trace_.events);
      }
      return;
    }
  }
  if (counts_.events == trace_.events) [[unlikely]] {
    return fail("more than the %llu events that the trace declares", trace_.events);
  }
  if (decoder_.next(at_, end_, event_)) [[likely]] {
    return;
  }
  const EventDecoder::Wrong& wrong = decoder_.wrong();
  if (wrong.has_value) return fail("%s %llu cannot be right", wrong.what, wrong.value);
  fail("%s", wrong.what);
}

void Player::play_turn(uint64_t most) {
  const uint16_t cpu = event_.cpu;
  Context context = event_.context;
  target_.run_on(CpuId{cpu}, context);
  for (; most != 0 && more_ && event_.cpu == cpu; --most) {
    if (event_.context != context) {
      context = event_.context;
      target_.run_on(CpuId{cpu}, context);
    }
    apply();
    if (failed_) return;
    ++counts_.events_by_op[static_cast<size_t>(event_.op)];
    ++counts_.events_by_context[static_cast<size_t>(context)];
    ++counts_.events;
    fetch();
  }
}

void Player::apply() {
  switch (event_.op) {
    case Op::kKmalloc:
    case Op::kCacheAlloc:
      return allocate_object();
    case Op::kKfree:
    case Op::kCacheFree:
    case Op::kInferredFree:
      return free_object();
    case Op::kPageAlloc:
      return allocate_block();
    case Op::kPageFree:
    case Op::kInferredPageFree:
      return free_block();
    case Op::kPageSplit:
      return split_block();
    case Op::kAreaAlloc:
      return allocate_area();
    case Op::kAreaFree:
      return free_area();
    case Op::kPercpuAlloc:
      return allocate_percpu();
    case Op::kPercpuFree:
      return free_percpu();
    case Op::kUnknownFree:
      return count_unknown_free();
    case Op::kAreaPurge:
    case Op::kMark:
      return;
  }
}

bool Player::is_dead(bool live, const char* kind, uint32_t slot) {
  if (!live) [[likely]] {
    return true;
  }
  fail("%s slot %u is allocated while it is live", kind, slot);
  return false;
}

void Player::allocate_object() {
  ObjectSlot& slot = objects_[event_.slot];
  if (!is_dead(slot.granted_bytes != 0, "object", event_.slot)) return;
  if (event_.op == Op::kKmalloc) {
    slot.trace_cache = kFromKmalloc;
    slot.requested_bytes = static_cast<uint32_t>(event_.requested_bytes);
    slot.granted_bytes = static_cast<uint32_t>(event_.granted_bytes);
  } else {
    const TraceCache& cache = trace_.caches[event_.cache];
    slot.trace_cache = static_cast<uint16_t>(event_.cache);
    slot.requested_bytes = cache.object_bytes;
    slot.granted_bytes = cache.slot_bytes;
  }
  kind_of(slot).add();
  counts_.live.add(slot.requested_bytes, slot.granted_bytes);

  slot.object = allocate_on_target(slot);
  if (slot.object == nullptr) [[unlikely]] {
    ++kind_of(slot).failed;
    return layout_.add(kNoPlace);
  }
  const Placement placement = target_.object_placement(slot.object);
  note_placement(placement);
  slot.cache = placement.cache;
  if (observer_ != nullptr) observer_->object_allocated(slot.cache, slot.requested_bytes);
  follow_slab_pages();
}

// A cache is made at its first use.
void* Player::allocate_on_target(const ObjectSlot& slot) {
  const TraceGfp& gfp = trace_.gfps[event_.gfp];
  if (slot.trace_cache == kFromKmalloc) return target_.kmalloc(slot.requested_bytes, gfp);
  KmemCache*& cache = caches_[slot.trace_cache];
  if (cache == nullptr) cache = target_.create_cache(trace_.caches[slot.trace_cache]);
  return cache == nullptr ? nullptr : target_.cache_alloc(cache, gfp);
}

void Player::note_placement(const Placement& placement) {
  layout_.add(step_of(event_));
  layout_.add(uint64_t{placement.node} << 56 | placement.frame << 12 | placement.offset);
}

void Player::follow_slab_pages() {
  const uint64_t pages = target_.slab_pages();
  if (pages <= counts_.peak_slab_pages) return;
  counts_.peak_slab_pages = pages;
  if (observer_ != nullptr) observer_->slabs_grew(pages);
}

void Player::free_object() {
  ObjectSlot& slot = objects_[event_.slot];
  if (slot.granted_bytes == 0) {
    ++counts_.unmatched.dead_slots;
    return;
  }
  kind_of(slot).remove(event_.op == Op::kInferredFree);
  counts_.live.remove(slot.requested_bytes, slot.granted_bytes);
  slot.granted_bytes = 0;
  if (slot.object == nullptr) return;
  if (observer_ != nullptr) observer_->object_freed(slot.cache, slot.requested_bytes);
  // Linux allows kfree() for an object of a cache; an inferred free takes the usual way.
  KmemCache* cache = slot.trace_cache == kFromKmalloc ? nullptr : caches_[slot.trace_cache];
  if (cache == nullptr || event_.op == Op::kKfree) {
    target_.kfree(slot.object, cache);
  } else {
    target_.cache_free(cache, slot.object);
  }
}

void Player::allocate_block() {
  BlockSlot& slot = blocks_[event_.slot];
  if (!is_dead(slot.live, "page", event_.slot)) return;
  slot = {nullptr, event_.site, event_.order, true, false};
  const Order order{slot.order};
  kind_of(slot).add();
  counts_.linux_pages.add(slot.site, order.pages());
  if (is_backing_site(slot.site)) return;

  // A compound block could not be split, which a later event may ask for; it lies where a plain one
  // does.
  TraceGfp gfp = trace_.gfps[event_.gfp];
  gfp.flags &= ~gfp::kComp;
  slot.block = target_.alloc_pages(order, gfp);
  if (slot.block == nullptr) {
    ++counts_.blocks.failed;
    return layout_.add(kNoPlace);
  }
  counts_.block_pages.add(order.pages());
  note_placement(target_.block_placement(slot.block));
}

void Player::free_block() {
  BlockSlot& slot = blocks_[event_.slot];
  if (!slot.live) {
    ++counts_.unmatched.dead_slots;
    return;
  }
  const Order order{slot.order};
  kind_of(slot).remove(event_.op == Op::kInferredPageFree);
  counts_.linux_pages.remove(slot.site, order.pages());
  slot.live = false;
  if (slot.block == nullptr) return;
  counts_.block_pages.remove(order.pages());
  if (slot.single_pages) {
    for (uint32_t i = 0; i < order.pages(); ++i) target_.free_pages(slot.block + i, Order{0});
  } else {
    target_.free_pages(slot.block, order);
  }
}

void Player::split_block() {
  BlockSlot& lower = blocks_[event_.slot];
  BlockSlot& upper = blocks_[event_.other_slot];
  if (!lower.live || lower.order == 0) {
    return fail("page slot %u has nothing to split", event_.slot);
  }
  if (!is_dead(upper.live, "page", event_.other_slot)) return;
  if (lower.block != nullptr && !lower.single_pages) {
    target_.split_pages(lower.block, Order{lower.order});
  }
  lower.single_pages = true;
  --lower.order;
  upper = lower;
  if (lower.block != nullptr) upper.block = lower.block + Order{lower.order}.pages();
  ++kind_of(upper).live;
}

void Player::allocate_area() {
  AreaSlot& slot = areas_[event_.slot];
  if (!is_dead(slot.bytes != 0, "area", event_.slot)) return;
  slot.bytes = event_.requested_bytes;
  slot.has_memory = event_.site == SiteClass::kAreaVmalloc;
  KindCounts& kind = slot.has_memory ? counts_.vmalloc : counts_.ranges;
  kind.add();
  const uint64_t bytes = slot.bytes == kPageBytes ? kPageBytes : slot.bytes - kPageBytes;
  // More than the machine can address is more than it has.
  if (static_cast<size_t>(bytes) != bytes) {
    slot.area = nullptr;
  } else if (slot.has_memory) {
    slot.area = target_.vmalloc(static_cast<size_t>(bytes));
  } else {
    slot.area =
        target_.reserve_area(static_cast<size_t>(bytes), static_cast<size_t>(event_.align_bytes));
  }
  layout_.add(step_of(event_));
  if (slot.area == nullptr) {
    ++kind.failed;
    return layout_.add(kNoPlace);
  }
  layout_.add(target_.area_offset(slot.area));
  follow_slab_pages();
  if (slot.has_memory) counts_.vmalloc_bytes.add(bytes);
}

void Player::free_area() {
  AreaSlot& slot = areas_[event_.slot];
  if (slot.bytes == 0) {
    ++counts_.unmatched.dead_slots;
    return;
  }
  (slot.has_memory ? counts_.vmalloc : counts_.ranges).remove(/*inferred=*/false);
  const uint64_t bytes = std::exchange(slot.bytes, 0);
  if (slot.area == nullptr) return;
  if (slot.has_memory) {
    target_.vfree(slot.area);
    counts_.vmalloc_bytes.remove(bytes - kPageBytes);
  } else {
    target_.release_area(slot.area);
  }
}

void Player::allocate_percpu() {
  uint64_t& bytes = percpu_bytes_[event_.slot];
  if (!is_dead(bytes != 0, "per-CPU", event_.slot)) return;
  bytes = event_.granted_bytes;
  counts_.percpu.add();
  counts_.percpu_bytes.add(bytes);
}

void Player::free_percpu() {
  const uint64_t bytes = std::exchange(percpu_bytes_[event_.slot], 0);
  if (bytes == 0) {
    ++counts_.unmatched.dead_slots;
    return;
  }
  counts_.percpu.remove(/*inferred=*/false);
  counts_.percpu_bytes.remove(bytes);
}

void Player::count_unknown_free() {
  UnmatchedFrees& frees = counts_.unmatched;
  ++(event_.detail == 'p'   ? frees.before_trace
     : event_.detail == 'h' ? frees.hidden_allocation
                            : frees.unexplained);
}

// The header says how many slots are live after the last event: a trace that contradicts itself has
// lost or gained events.
bool Player::live_end_is_right() {
  if (!trace_.has_live_end) return true;
  const SlotCounts& declared = trace_.live_end;
  const struct {
    const char* kind;
    uint64_t live;
    uint32_t expected;
  } checks[] = {
      {"object", counts_.live.objects.now, declared.object},
      {"page", counts_.blocks.live + counts_.backing.live, declared.page},
      {"area", counts_.vmalloc.live + counts_.ranges.live, declared.area},
      {"per-CPU", counts_.percpu.live, declared.percpu},
  };
  for (const auto& check : checks) {
    if (check.live == check.expected) continue;
    fail("%llu %s slots are live at the end, but the header declares %u", check.live, check.kind,
         check.expected);
    return false;
  }
  return true;
}

bool Player::finish() {
  if (failed_ || !live_end_is_right()) return false;
  target_.for_each_free_block(
      [](void* layout, const FreeBlock& block) {
        auto& hash = *static_cast<LayoutHash*>(layout);
        hash.add(uint64_t(uint16_t(block.node.value())) << 24 | uint64_t{block.zone} << 16 |
                 uint64_t{block.order.value()} << 8 | block.migrate_type);
        hash.add(block.pfn.value());
      },
      &layout_);
  return true;
}

}  // namespace quarry::replay
