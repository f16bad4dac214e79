// SPDX-License-Identifier: MIT

// Shape of slabs and objects: Linux 6.1's arithmetic.

#include "base/random.h"
#include "kmem/slub/slub.h"

namespace quarry {

namespace {

// Bytes of objects, and objects, that a CPU may hold in its array.
constexpr uint32_t kMaxArrayBytesOfObjects = 16384;
constexpr uint32_t kMinArrayObjects = 4;
constexpr uint32_t kMaxArrayObjects = 72;
constexpr uint32_t kRemoteDefrag = 1000;

constexpr unsigned order_holding(uint32_t bytes) {
  unsigned order = 0;
  while ((kPageBytes << order) < bytes) ++order;
  return order;
}

// Smallest order from min_order and the one that holds min_objects up to `max_order` that wastes at
// most 1 part in `fraction`; max_order + 1 if none does.
constexpr unsigned thrifty_order(uint32_t size, uint32_t min_objects, unsigned min_order,
                                 unsigned max_order, uint32_t fraction) {
  unsigned order = order_holding(min_objects * size);
  if (order < min_order) order = min_order;
  for (; order <= max_order; ++order) {
    const auto bytes = static_cast<uint32_t>(kPageBytes << order);
    if (bytes % size <= bytes / fraction) break;
  }
  return order;
}

// As many objects as the number of CPUs, or the tuning, asks for with little waste; else fewer;
// else one.
constexpr unsigned slab_order(uint32_t size, unsigned cpus, const SlubTuning& tuning = {}) {
  const unsigned min_order = tuning.min_order.value();
  const unsigned max_order = tuning.max_order.value();
  uint32_t min_objects = tuning.min_objects != 0 ? tuning.min_objects : 4 * (ilog2(cpus) + 2);
  const uint32_t most = objects_in(kPageBytes << max_order, size);
  if (min_objects > most) min_objects = most;
  for (; min_objects > 1; --min_objects) {
    for (const uint32_t fraction : {16u, 8u, 4u}) {
      const unsigned order = thrifty_order(size, min_objects, min_order, max_order, fraction);
      if (order <= max_order) return order;
    }
  }
  const unsigned one = order_holding(size);
  return one > min_order || min_order > max_order ? one : min_order;
}

// linux-behaviour.md, section 2: golden orders.
static_assert(slab_order(512, 1) == 0 && slab_order(1024, 1) == 1 && slab_order(8192, 1) == 3);
static_assert(slab_order(256, 4) == 0 && slab_order(512, 4) == 1 && slab_order(2048, 4) == 3);
static_assert(slab_order(256, 8) == 1 && slab_order(1024, 8) == 3 && slab_order(192, 16) == 1);
static_assert(slab_order(64, 4, {.min_order = Order(2)}) == 2);
static_assert(slab_order(2048, 4, {.max_order = Order(1)}) == 1);
static_assert(slab_order(64, 4, {.min_objects = 256}) == 2);

// What makes slots larger.
constexpr uint32_t kMetadataFlags =
    QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_POISON | QUARRY_SLAB_STORE_USER;

constexpr uint32_t clamp(uint32_t value, uint32_t low, uint32_t high) {
  return value < low ? low : value > high ? high : value;
}

}  // namespace

bool Slub::shape(KmemCache& cache, unsigned cpus) const {
  SlotLayout layout = slot_layout(cache);
  if (debug_.options().keeps_orders() &&
      order_holding(layout.size) > order_holding(cache.object_size)) {
    cache.flags &= ~kMetadataFlags;
    layout = slot_layout(cache);
  }
  cache.inuse_bytes = layout.inuse;
  cache.offset = layout.free_pointer;
  cache.size = layout.size;
  if (order_holding(cache.size) > kMaxOrder.value()) return false;

  cache.order = Order(slab_order(cache.size, cpus, tuning_));
  cache.min_order = Order(order_holding(cache.size));
  cache.objects = static_cast<uint16_t>(objects_in(kPageBytes << cache.order.value(), cache.size));
  cache.min_partial.store(clamp(ilog2(cache.size) / 2, 5, 10), std::memory_order_relaxed);
  cache.remote_defrag.store(kRemoteDefrag, std::memory_order_relaxed);
  if (tuning_.hardened) {
    Random random(tuning_.seed + cache.number);
    cache.link_secret = static_cast<uintptr_t>(random.next_u64()) | 1;
  }
  const uint32_t capacity =
      clamp(kMaxArrayBytesOfObjects / cache.size, kMinArrayObjects, kMaxArrayObjects);
  // Every object of debugged ones passes the checks.
  cache.set_array_size(is_debugged(cache) ? 0 : capacity, (capacity + 1) / 2);
  return true;
}

size_t Slub::object_offset(const KmemCache& cache, const Page&, size_t offset) const {
  return offset - offset % cache.size + slot_layout(cache).red_left;
}

void Slub::init_state(KmemCache& cache) const {
  for (unsigned id = 0; id != pages_->node_count(); ++id) new (&node_of(cache, id)) SlubNode;
}

// Where nothing lies behind the object, the padding is the user's too.
size_t Slub::usable_bytes(const KmemCache& cache, const void* object) const {
  // Whoever asks may use all of it: there is no red zone in it any more.
  if (uint32_t* const asked = asked_of(cache, object)) *asked = cache.object_size;
  if ((cache.flags & (QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_POISON)) != 0) return cache.object_size;
  if ((cache.flags & QUARRY_SLAB_STORE_USER) != 0) return cache.inuse_bytes;
  return cache.offset < cache.object_size ? cache.size : cache.inuse_bytes;
}

}  // namespace quarry
