// SPDX-License-Identifier: MIT

// What a cache is made of, and its tunables.

#include "kmem/slab/slab.h"

namespace quarry {

namespace {

constexpr uint32_t kNodeReapSpread = 4'000'000'000;  // ns

constexpr SlabRequest kmalloc_request(unsigned size_class) {
  const uint32_t bytes = kClassBytes[size_class];
  return {bytes, is_power_of_two(bytes) ? bytes : 8, QUARRY_SLAB_KMALLOC, false};
}

// The object that a free list lies in comes from a slab whose own list lies elsewhere: making the
// one never leads to making another.
constexpr bool lists_end_somewhere() {
  for (unsigned c = kMinSlabClass; c != kClasses; ++c) {
    if (plan_slab(kmalloc_request(c), 1).place == FreelistPlace::kOffSlab) return false;
  }
  return freelist_object_bytes(kMaxSlabObjects) <= kMaxClassBytes;
}
static_assert(lists_end_somewhere());

// From multiplying to dividing: exact for every multiple of `divisor` below 2^32 / divisor.
constexpr uint32_t reciprocal_of(uint32_t divisor) {
  return static_cast<uint32_t>(~uint32_t{0} / divisor + 1);
}

}  // namespace

void Slab::init(Kmem& kmem, PageAllocator& pages, const SlabOptions& options) {
  kmem_ = &kmem;
  pages_ = &pages;
  map_ = &pages.map();
  nodes_ = pages.node_count();
  shared_room_ = pages.cpu_count() > 1 ? kSharedRoom : 0;
  node_bytes_ = round_up(static_cast<uint32_t>(sizeof(SlabNode) + shared_room_ * sizeof(void*)),
                         uint32_t{alignof(SlabNode)});
  aliens_ = options.aliens && nodes_ > 1;
  max_order_ = options.max_order;
}

static SlabPlan plan_of(const KmemCache& cache, unsigned max_order) {
  return plan_slab({.object_bytes = cache.object_size,
                    .align = cache.align,
                    .flags = cache.flags,
                    .has_ctor = cache.ctor != nullptr},
                   max_order);
}

bool Slab::shape(KmemCache& cache, unsigned /*cpus*/) const {
  const SlabPlan plan = plan_of(cache, max_order_);
  if (plan.objects == 0) return false;
  const bool checked = (plan.flags & kSlabCheckFlags) != 0;
  const uint32_t limit = slab_array_limit(plan.slot_bytes, checked);
  cache.flags = plan.flags;
  cache.align = static_cast<uint16_t>(plan.align);
  cache.size = plan.slot_bytes;
  cache.order = cache.min_order = Order(plan.order);
  cache.objects = plan.objects;
  cache.inuse_bytes = cache.object_size;
  // Nothing of a free object is the allocator's for sure.
  cache.offset = cache.object_size;
  cache.set_array_size(checked ? 0 : limit, (limit + 1) / 2);
  cache.flushes_oldest = true;
  return true;
}

size_t Slab::state_bytes(unsigned nodes) const {
  const size_t aliens = aliens_ ? size_t{nodes} * nodes * sizeof(AlienArray) : 0;
  return round_up(sizeof(SlabState) + size_t{nodes} * node_bytes_ + aliens +
                      pages_->cpu_count() * sizeof(SlabCpu),
                  alignof(SlabState));
}

void Slab::init_state(KmemCache& cache) const {
  auto& state = *new (cache.engine_state) SlabState;
  state.plan = plan_of(cache, max_order_);
  state.reciprocal = reciprocal_of(state.plan.slot_bytes);
  state.checked = (state.plan.flags & kSlabCheckFlags) != 0;
  const uint32_t limit = slab_array_limit(state.plan.slot_bytes, state.checked);
  state.alien_limit = limit > 1 ? AlienArray::kLimit : limit;
  // The first reapings of caches that are made at one time are spread.
  const uint32_t spread = cache.number * 0x9e3779b1u % kNodeReapSpread;
  const uint64_t first_reap = pages_->platform().clock_ns() + kNodeReapSpread + spread;
  for (unsigned id = 0; id != nodes_; ++id) {
    SlabNode& node = *new (&node_of(cache, id)) SlabNode;
    LockGuard guard(node.lock);
    node.next_reap_ns = first_reap;
  }
  if (aliens_) {
    for (unsigned i = 0; i != nodes_ * nodes_; ++i) new (&alien_of(cache, 0, i)) AlienArray;
  }
  for (unsigned cpu = 0; cpu != pages_->cpu_count(); ++cpu) {
    SlabCpu& own = *new (&cpu_of(cache, CpuId(cpu))) SlabCpu;
    const auto home = static_cast<unsigned>(pages_->node_of_cpu(CpuId(cpu)).value());
    own.alien_next.store(static_cast<uint8_t>((home + 1) % nodes_), std::memory_order_relaxed);
  }
  apply(cache, {.limit = limit,
                .batchcount = (limit + 1) / 2,
                .shared = slab_shared_factor(state.plan.slot_bytes, pages_->cpu_count())});
}

SlabTunables Slab::tunables(const KmemCache& cache) const {
  const SlabState& state = state_of(cache);
  return {.limit = state.limit.load(std::memory_order_relaxed),
          .batchcount = state.batchcount.load(std::memory_order_relaxed),
          .shared = state.shared.load(std::memory_order_relaxed)};
}

// What the nodes' arrays and lists are allowed.
void Slab::apply(const KmemCache& cache, const SlabTunables& wanted) const {
  SlabState& state = state_of(cache);
  state.limit.store(wanted.limit, std::memory_order_relaxed);
  state.batchcount.store(wanted.batchcount, std::memory_order_relaxed);
  state.shared.store(wanted.shared, std::memory_order_relaxed);
  for (unsigned id = 0; id != nodes_; ++id) {
    SlabNode& node = node_of(cache, id);
    LockGuard guard(node.lock);
    node.shared_limit = wanted.shared * wanted.batchcount;
    const unsigned cpus = pages_->node(NodeId(static_cast<int>(id))).cpus;
    node.free_limit = size_t{1 + cpus} * wanted.batchcount + cache.objects;
  }
}

bool Slab::set_tunables(KmemCache& cache, const SlabTunables& wanted) {
  if (wanted.limit > Kmem::kArrayEntries) return false;
  if (wanted.shared != 0 && wanted.shared > shared_room_ / wanted.batchcount) {
    return false;
  }
  apply(cache, wanted);
  // Afterwards, because others use the shared arrays meanwhile.
  for (unsigned id = 0; id != nodes_; ++id) drain_shared(cache, id);
  cache.set_array_size(state_of(cache).checked ? 0 : wanted.limit, wanted.batchcount);
  return true;
}

uint32_t Slab::slab_objects(const KmemCache& cache, const Page&) const {
  return state_of(cache).plan.objects;
}

size_t Slab::object_offset(const KmemCache& cache, const Page& slab, size_t offset) const {
  const SlabState& state = state_of(cache);
  const auto& indexed = static_cast<const IndexedSlab&>(slab);
  const size_t first = size_t{indexed.colour()} * state.plan.colour_bytes;
  if (offset < first) return first;
  return offset - (offset - first) % cache.size;
}

}  // namespace quarry
