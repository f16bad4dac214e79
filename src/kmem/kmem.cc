// SPDX-License-Identifier: MIT

// The slow halves of allocating and freeing one object.

#include "kmem/kmem.h"

namespace quarry {

// Checks that every allocation is subject to. False: it has to fail.
bool Kmem::may_alloc(KmemCache& cache, Gfp gfp, uintptr_t place) {
  reporter_->check_context(uint32_t(gfp), place);
  if (any(gfp, gfp::kZero) && cache.ctor != nullptr) {
    reporter_->warn_once(place, "__GFP_ZERO for a cache with a constructor");
  }
  // A task whose attempts are counted shows in its context.
  if (!fault_.active() && !Arch::forbids_some_gfp()) return true;
  const bool chosen =
      (std::atomic_ref(cache.flags).load(std::memory_order_relaxed) & QUARRY_SLAB_FAILSLAB) != 0;
  return !fault_.should_fail_slab(gfp, cache.object_size, chosen);
}

void* Kmem::alloc_slow(KmemCache& cache, Gfp gfp, NodeId node, size_t bytes, uintptr_t place) {
  if (!may_alloc(cache, gfp, place)) return nullptr;
  gfp = without_sleeping(gfp);
  void* object = nullptr;
  // Linux ignores a node that does not exist.
  const bool any_node =
      pages_->node_count() == 1 || static_cast<unsigned>(node.value()) >= pages_->node_count();
  if (!any_node && node == pages_->local_node()) object = pop_of_node(cache, node);
  if (object != nullptr) {
    cache.hits.fetch_add(1, std::memory_order_relaxed);
  } else if (any_node) {
    // Where the fast path was free to look into the array, it found nothing.
    if (!array_table_.lockless() || Arch::forbids_some_gfp()) object = cache.cpu_arrays.pop();
    if (object != nullptr) {
      cache.hits.fetch_add(1, std::memory_order_relaxed);
    } else {
      object = refill(cache, {gfp, kNoNode, place, bytes});
    }
  } else if (engine_->alloc(cache, {gfp, node, place, bytes}, std::span(&object, 1)) == 0) {
    object = nullptr;
  }
  if (object != nullptr && zeroes_on_alloc(cache, gfp)) {
    __builtin_memset(object, 0, bytes_to_clear(cache, bytes));
  }
  return object;
}

// As Linux 6.12: what kmalloc was not asked for may be a red zone.
size_t Kmem::bytes_to_clear(const KmemCache& cache, size_t asked) {
  constexpr uint32_t kRedZones = QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_STORE_USER;
  return asked != 0 && (cache.flags & kRedZones) == kRedZones ? asked : cache.object_size;
}

// Constructed objects, and those that readers of RCU may look at, keep what is in them.
static bool may_be_zeroed(const KmemCache& cache) {
  constexpr uint32_t kKept = QUARRY_SLAB_TYPESAFE_BY_RCU | QUARRY_SLAB_POISON;
  return cache.ctor == nullptr && (cache.flags & kKept) == 0;
}

// What was zeroed when it was freed holds words of the engine.
bool Kmem::zeroes_on_alloc(const KmemCache& cache, Gfp gfp) const {
  return any(gfp, gfp::kZero) || ((zero_on_alloc_ || zero_on_free_) && may_be_zeroed(cache));
}

bool Kmem::zeroes_on_free(const KmemCache& cache) const {
  return zero_on_free_ && may_be_zeroed(cache);
}

// From this CPU's array, if what is on top is of that node: after a fallback it may not be.
void* Kmem::pop_of_node(KmemCache& cache, NodeId node) {
  void* object = cache.cpu_arrays.pop();
  if (object == nullptr || map_.page_of(object)->node == node.value()) return object;
  engine_->free(cache, std::span(&object, 1), 0);
  return nullptr;
}

// Takes a batch from the engine, returns one object of it and puts the rest into the array.
void* Kmem::refill(KmemCache& cache, const ObjectRequest& request) {
  void* batch[kMaxBatch];
  const uint32_t full_batch = cache.array_batch.load(std::memory_order_relaxed);
  const uint32_t wanted = full_batch == 0 || cache.cpu_arrays.is_off() ? 1 : full_batch;
  const uint32_t count = engine_->alloc(cache, request, std::span(batch, wanted));
  if (count == 0) return nullptr;
  cache.refills.fetch_add(1, std::memory_order_relaxed);
  if (count > 1) {
    const std::span<void*> rest(batch, count - 1);
    // Whoever pops takes what there is: objects of a remote slab may wait here too.
    const auto node = static_cast<uint16_t>(pages_->local_node().value());
    const uint32_t pushed = cache.cpu_arrays.push_many(rest, node);
    if (pushed != rest.size()) engine_->free(cache, rest.subspan(pushed), request.place);
  }
  return batch[count - 1];
}

void* Kmem::kmalloc_typed(unsigned size_class, Gfp gfp, size_t bytes, uintptr_t place) {
  if (kmalloc_engine_ != nullptr) return kmalloc_by_engine({gfp, kNoNode, place, bytes});
  KmemCache& cache = typed_cache(size_class, gfp);
  return alloc_at(
      cache.array_offset, [&]() -> KmemCache& { return cache; }, gfp,
      [&, this]() { return alloc_slow(cache, gfp, kNoNode, bytes, place); });
}

void* Kmem::alloc_node(KmemCache& cache, Gfp gfp, NodeId node, uintptr_t place) {
  if (node == kNoNode || pages_->node_count() == 1) return alloc(cache, gfp, place);
  return alloc_slow(cache, gfp, node, 0, place);
}

void* Kmem::kmalloc_node(size_t bytes, Gfp gfp, NodeId node, uintptr_t place) {
  if (bytes - 1 >= kMaxClassBytes) return kmalloc_large(bytes, gfp, node, place);
  if (node == kNoNode || pages_->node_count() == 1) return kmalloc(bytes, gfp, place);
  if (kmalloc_engine_ != nullptr) return kmalloc_by_engine({gfp, node, place, bytes});
  return alloc_slow(typed_cache(size_class(bytes), gfp), gfp, node, bytes, place);
}

void* Kmem::kmalloc_slow(size_t bytes, Gfp gfp, uintptr_t place, Kmem& kmem) {
  return kmalloc_class_slow(size_class(bytes), gfp, bytes, place, kmem);
}

void* Kmem::kmalloc_class_slow(unsigned size_class, Gfp gfp, size_t bytes, uintptr_t place,
                               Kmem& kmem) {
  if (kmem.kmalloc_engine_ != nullptr) {
    return kmem.kmalloc_by_engine({gfp, kNoNode, place, bytes});
  }
  return kmem.alloc_slow(kmem.typed_cache(size_class, gfp), gfp, kNoNode, bytes, place);
}

void* Kmem::kmalloc_by_engine(ObjectRequest request) {
  reporter_->check_context(uint32_t(request.gfp), request.place);
  if (fault_.should_fail_slab(request.gfp, static_cast<uint32_t>(request.bytes))) return nullptr;
  request.gfp = without_sleeping(request.gfp);
  if (zero_on_alloc_ || zero_on_free_) request.gfp |= gfp::kZero;
  // Linux ignores a node that does not exist.
  if (static_cast<unsigned>(request.node.value()) >= pages_->node_count()) request.node = kNoNode;
  return kmalloc_engine_->kmalloc(request);
}

void Kmem::report_freed_twice(const Page* page, const void* object) {
  report_object(caches_[page->cache], object, "Object already free");
}

// The array refused the object: it is off, full, not yet in use, or of another node.
void Kmem::kfree_slow(Page* page, const void* object, uintptr_t place) {
  if (page == nullptr || page->cache == 0) return kfree_foreign(page, object, place);
  KmemCache& cache = caches_[page->cache];
  void* freed = const_cast<void*>(object);
  // One that is free already holds its slab's links, and is reported.
  if (zeroes_on_free(cache) && !is_first_free(object)) [[unlikely]] {
    __builtin_memset(freed, 0, cache.object_size);
  }
  if (array_table_.lockless() && make_room(cache, freed, page->node, place)) return;
  switch (cache.cpu_arrays.push(freed, page->node)) {
    case PushResult::kPushed:
      cache.hits.fetch_add(1, std::memory_order_relaxed);
      return;
    case PushResult::kTwice:
      return report_freed_twice(page, object);
    case PushResult::kRefused:
      if (array_table_.lockless() || !make_room(cache, freed, page->node, place)) {
        engine_->free(cache, std::span(&freed, 1), place);
      }
  }
}

// Of the array of this CPU; the others stay in it.
uint32_t Kmem::take_oldest(KmemCache& cache, std::span<void*> objects) {
  void* all[kArrayEntries];
  const uint32_t count = cache.cpu_arrays.pop_many(all);
  const auto taken = static_cast<uint32_t>(count < objects.size() ? count : objects.size());
  __builtin_memcpy(objects.data(), all, taken * sizeof(void*));
  const std::span<void*> rest = std::span(all, count).subspan(taken);
  if (rest.empty()) return taken;
  const uint32_t pushed = cache.cpu_arrays.push_many(rest, map_.page_at(rest.front())->node);
  if (pushed != rest.size()) engine_->free(cache, rest.subspan(pushed), 0);
  return taken;
}

// Gives a batch of a full array back to the engine and pushes the object instead. False: the array
// is not one that could take it.
bool Kmem::make_room(KmemCache& cache, void* object, uint16_t node, uintptr_t place) {
  void* batch[kMaxBatch];
  if (node != pages_->local_node().value()) return false;
  const std::span<void*> wanted(batch, cache.array_batch.load(std::memory_order_relaxed));
  const uint32_t count =
      cache.flushes_oldest ? take_oldest(cache, wanted) : cache.cpu_arrays.pop_many(wanted);
  if (count == 0) return false;
  cache.flushes.fetch_add(1, std::memory_order_relaxed);
  engine_->free(cache, std::span(batch, count), place);
  return cache.cpu_arrays.push(object, node) == PushResult::kPushed;
}

}  // namespace quarry
