// SPDX-License-Identifier: MIT

// Emptying, checking and destroying caches.

#include "base/same_text.h"
#include "kmem/kmem.h"

namespace quarry {

// An unused entry of the table, or `memory` where there is none; null: out of memory.
KmemCache* Kmem::claim_cache(void* memory) {
  if (kmalloc_engine_ != nullptr) return static_cast<KmemCache*>(memory);
  for (unsigned number = kFirstFreeCacheNumber; number != max_caches_; ++number) {
    if (!caches_[number].in_use()) return &caches_[number];
  }
  return nullptr;
}

bool Kmem::is_listed(const KmemCache& cache) const {
  LockGuard guard(list_lock_);
  const KmemCache* at = first_;
  while (at != nullptr && at != &cache) at = at->next;
  return at != nullptr;
}

static bool has_name(const KmemCache& cache, const char* name) {
  if (same_text(cache.name, name)) return true;
  CacheName* at = cache.names;
  while (at != nullptr && !same_text(at->text(), name)) at = at->next;
  return at != nullptr;
}

KmemCache* Kmem::find(const char* name) const {
  LockGuard guard(list_lock_);
  KmemCache* cache = first_;
  while (cache != nullptr && !has_name(*cache, name)) cache = cache->next;
  return cache;
}

void Kmem::link(KmemCache& cache) {
  cache.previous = last_;
  (last_ == nullptr ? first_ : last_->next) = &cache;
  last_ = &cache;
}

void Kmem::unlink(KmemCache& cache) {
  (cache.previous == nullptr ? first_ : cache.previous->next) = cache.next;
  (cache.next == nullptr ? last_ : cache.next->previous) = cache.previous;
}

// Gives what the arrays of all CPUs hold back to the engine, and does something while they are
// empty; nothing where the platform cannot stop their use.
template <class Action>
void Kmem::drain_arrays(KmemCache& cache, Action&& while_empty) {
  LockGuard guard(drain_lock_);
  const StoppedArrays stopped(array_table_);
  if (!stopped.at_rest()) return;
  cache.cpu_arrays.take_all([&](std::span<void*> objects) { engine_->free(cache, objects, 0); });
  while_empty();
}

bool Kmem::shrink(KmemCache& cache) {
  drain_arrays(cache, [] {});
  engine_->shrink(cache);
  return counts(cache).slabs == 0;
}

SlabCheck Kmem::check(KmemCache& cache) {
  drain_arrays(cache, [] {});
  return engine_->check(cache);
}

bool Kmem::set_tunables(KmemCache& cache, const SlabTunables& tunables) {
  bool done = false;
  drain_arrays(cache, [&] {
    done = engine_->set_tunables(cache, tunables);
    if (done) cache.cpu_arrays.set_capacity(cache.array_capacity.load(std::memory_order_relaxed));
  });
  return done;
}

bool Kmem::set_array_capacity(KmemCache& cache, uint32_t capacity) {
  if (capacity > kArrayEntries) return false;
  bool done = false;
  drain_arrays(cache, [&] {
    cache.set_array_size(capacity, (capacity + 1) / 2);
    cache.cpu_arrays.set_capacity(static_cast<uint16_t>(capacity));
    done = true;
  });
  return done;
}

void Kmem::reap(CpuId cpu) {
  for_each([&](KmemCache& cache) { engine_->reap(cache, cpu); });
}

uint32_t Kmem::take_oldest_of(KmemCache& cache, CpuId cpu, std::span<void*> objects) {
  LockGuard guard(drain_lock_);
  const StoppedArrays stopped(array_table_);
  return stopped.at_rest() ? cache.cpu_arrays.take_oldest(cpu, objects) : 0;
}

// True: it was not the last. After the last nobody shares the cache any more, kept or not.
bool Kmem::drop_user(KmemCache& cache) {
  LockGuard guard(list_lock_);
  if (cache.users <= 1) {
    cache.users = 0;
    return false;
  }
  --cache.users;
  return true;
}

void Kmem::destroy(KmemCache* cache, uintptr_t place) {
  if (cache == nullptr) return;
  if (!is_listed(*cache)) {
    return reporter_->warn(place, "kmem_cache_destroy of a cache that is destroyed already");
  }
  if (drop_user(*cache)) return;
  if (!shrink(*cache)) return report_leftovers(*cache, place);
  // Pages that wait for readers carry the number of this cache.
  if ((cache->flags & QUARRY_SLAB_TYPESAFE_BY_RCU) != 0) rcu_->barrier(place);
  CacheName* names = nullptr;
  {
    LockGuard guard(list_lock_);
    unlink(*cache);
    names = cache->names;
    cache->name = nullptr;
    // A late free through the old pointer finds arrays of capacity 0.
    cache->cpu_arrays.init(array_table_, cache->cpu_arrays.offset(), 0);
  }
  while (names != nullptr) {
    CacheName* const name = names;
    names = names->next;
    kfree(name, place);
  }
  if (kmalloc_engine_ != nullptr) kfree(cache, place);
}

void Kmem::report_leftovers(KmemCache& cache, uintptr_t place) {
  engine_->report_leftovers(cache);
  const SlabCounts left = counts(cache);
  char caller[128] = {};
  reporter_->platform().symbolize(place, caller);
  FixedText<320> text;
  format(text, "kmem_cache_destroy %s: Slab cache still has objects when called from %s",
         cache.name, static_cast<const char*>(caller));
  format(text, " (%zu in %zu slabs; it is kept)", left.total_objects - left.free_in_partial,
         left.slabs);
  reporter_->warn(place, text.c_str());
  report_leaks(cache);
}

void Kmem::report_leaks(KmemCache& cache) {
  if ((cache.flags & QUARRY_SLAB_STORE_USER) == 0) return;
  LogText out(reporter_->platform());
  format(out, "%s: who allocated what was never freed:\n", cache.name);
  if (!engine_->write_traces(cache, TrackKind::kAlloc, out)) format(out, "no memory to tell\n");
}

SlabCounts Kmem::counts(const KmemCache& cache) const {
  SlabCounts sums;
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    sums += engine_->node_counts(cache, NodeId(static_cast<int>(id)));
  }
  return sums;
}

size_t Kmem::cached_objects(const KmemCache& cache) const {
  size_t count = 0;
  for (unsigned cpu = 0; cpu != array_table_.cpus(); ++cpu) {
    count += cache.cpu_arrays.count(CpuId(cpu));
  }
  const SlabCounts sums = counts(cache);
  return count + sums.shared_objects + sums.alien_objects;
}

size_t Kmem::slab_pages() const {
  size_t sum = 0;
  for (const PageCounters& counters : node_pages_) {
    sum += counters.reclaimable_slabs.load(std::memory_order_relaxed) +
           counters.other_slabs.load(std::memory_order_relaxed);
  }
  return sum;
}

NodePages Kmem::node_pages(NodeId node) const {
  const PageCounters& counters = node_pages_[node.value()];
  return {.reclaimable = counters.reclaimable_slabs.load(std::memory_order_relaxed),
          .unreclaimable = counters.other_slabs.load(std::memory_order_relaxed) +
                           counters.large_blocks.load(std::memory_order_relaxed)};
}

bool Kmem::validate(TextSink& out) const {
  bool sound = true;
  size_t pages = 0;
  for_each([&](const KmemCache& cache) {
    const SlabCounts sums = counts(cache);
    pages += sums.pages;
    const size_t taken = sums.total_objects - sums.free_in_partial;
    if (cached_objects(cache) > taken) {
      format(out, "%s: %zu objects in arrays, but only %zu are taken from slabs\n", cache.name,
             cached_objects(cache), taken);
      sound = false;
    }
    cache.cpu_arrays.for_each([&](CpuId cpu, const void* object) {
      if (cache_of(object) == &cache) return;
      format(out, "%s: array of CPU %u holds 0x%p of another cache\n", cache.name, cpu, object);
      sound = false;
    });
    if (!engine_->validate(cache, out)) sound = false;
  });
  if (kmalloc_engine_ != nullptr) return kmalloc_engine_->validate_all(out);
  if (pages != slab_pages()) {
    format(out, "kmem: %zu pages in slabs, counted %zu\n", pages, slab_pages());
    sound = false;
  }
  return sound;
}

void Kmem::lock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  list_lock_.lock();
  drain_lock_.lock();
  for_each_locked([&](KmemCache& cache) { engine_->lock_all(cache); });
  if (kmalloc_engine_ != nullptr) kmalloc_engine_->lock_all();
  // Where no lock keeps another thread from its CPU's array, arrays that are off do.
  array_table_.stop();
  for (unsigned cpu = 0; cpu != array_table_.cpus(); ++cpu) {
    array_table_.lock(CpuId(cpu)).lock_nested();
  }
}

void Kmem::unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  for (unsigned cpu = array_table_.cpus(); cpu-- != 0;) array_table_.lock(CpuId(cpu)).unlock();
  array_table_.resume();
  if (kmalloc_engine_ != nullptr) kmalloc_engine_->unlock_all();
  for_each_locked([&](KmemCache& cache) { engine_->unlock_all(cache); });
  drain_lock_.unlock();
  list_lock_.unlock();
}

}  // namespace quarry
