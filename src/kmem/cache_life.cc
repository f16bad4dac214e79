// SPDX-License-Identifier: MIT

// Making, emptying, checking and destroying caches.

#include "kmem/kmem.h"

namespace quarry {

namespace {

constexpr uint32_t kPermittedFlags =
    QUARRY_SLAB_HWCACHE_ALIGN | QUARRY_SLAB_CACHE_DMA | QUARRY_SLAB_CACHE_DMA32 |
    QUARRY_SLAB_RECLAIM_ACCOUNT | QUARRY_SLAB_PANIC | QUARRY_SLAB_TYPESAFE_BY_RCU |
    QUARRY_SLAB_MEM_SPREAD | QUARRY_SLAB_NOLEAKTRACE | QUARRY_SLAB_ACCOUNT |
    QUARRY_SLAB_NO_USER_FLAGS | QUARRY_SLAB_DEBUG_FLAGS;

// An object of kmalloc that a cache fits into, aligned.
constexpr size_t kCacheBytes = size_t{1} << (ilog2(sizeof(KmemCache) - 1) + 1);

constexpr uint32_t kMaxAlign = 32768;  // what kmem_cache::align holds

// Linux's rule (calculate_alignment): with HWCACHE_ALIGN a cache line, halved while two objects
// would fit into the half.
uint32_t effective_align(uint32_t align, uint32_t flags, uint32_t bytes) {
  if ((flags & QUARRY_SLAB_HWCACHE_ALIGN) != 0) {
    uint32_t line = Arch::kCacheLineBytes;
    while (bytes <= line / 2) line /= 2;
    if (align < line) align = line;
  }
  if (align < sizeof(void*)) align = sizeof(void*);
  return round_up(align, static_cast<uint32_t>(sizeof(void*)));
}

// Null: nothing is wrong with the request.
const char* refusal(const char* name, size_t bytes, uint32_t align, uint32_t flags) {
  if (name == nullptr) return "no name";
  if (bytes == 0 || bytes > kMaxKmallocBytes) return "impossible object size";
  if (align != 0 && !is_power_of_two(align)) return "alignment is not a power of two";
  if (align > kMaxAlign) return "alignment is larger than 32 KiB";
  if ((flags & ~kPermittedFlags) != 0) return "unknown flags";
  if (in_interrupt(Arch::context())) return "called from interrupt context";
  return nullptr;
}

// Whether a line of slabinfo with that name could be read.
bool has_space(const char* name) {
  while (*name != '\0' && *name != ' ') ++name;
  return *name == ' ';
}

size_t text_bytes(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length + 1;
}

}  // namespace

KmemCache* Kmem::create(const char* name, size_t bytes, uint32_t align, uint32_t flags,
                        void (*ctor)(void*), uintptr_t place) {
  reporter_->check_context(uint32_t(gfp::kKernel), place);
  const char* problem = refusal(name, bytes, align, flags);
  KmemCache* cache = nullptr;
  char* copy = nullptr;
  void* memory = nullptr;  // of the cache itself, where there is no table
  if (problem == nullptr) {
    if (has_space(name)) reporter_->warn_once(place, "kmem_cache_create: a space in the name");
    const size_t length = text_bytes(name);
    copy = static_cast<char*>(kmalloc(length, gfp::kKernel, place));
    if (copy != nullptr) __builtin_memcpy(copy, name, length);
    if (kmalloc_engine_ != nullptr) memory = kmalloc(kCacheBytes, gfp::kKernel, place);
    LockGuard guard(list_lock_);
    cache = copy == nullptr ? nullptr : claim_cache(memory);
    if (cache != nullptr) {
      const auto size = static_cast<uint32_t>(bytes);
      if (!set_up(*cache, copy, size, effective_align(align, flags, size), flags, ctor)) {
        cache = nullptr;
        problem = "objects of this size and alignment fit into no slab";
      } else {
        link(*cache);
      }
    }
  }
  if (cache != nullptr) return cache;
  kfree(copy, place);
  kfree(memory, place);
  FixedText<160> text;
  format(text, "kmem_cache_create(%s) failed: %s", name == nullptr ? "(null)" : name,
         problem == nullptr ? "out of memory" : problem);
  if ((flags & QUARRY_SLAB_PANIC) != 0) reporter_->platform().fatal(text.c_str());
  reporter_->warn(place, text.c_str());
  return nullptr;
}

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
  array_table_.turn_off();
  if (array_table_.settle()) {
    cache.cpu_arrays.take_all([&](std::span<void*> objects) { engine_->free(cache, objects, 0); });
    while_empty();
  }
  if (!fault_.active()) array_table_.turn_on();
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
    if (done) cache.cpu_arrays.set_capacity(cache.array_capacity);
  });
  return done;
}

void Kmem::reap(CpuId cpu) {
  for_each([&](KmemCache& cache) { engine_->reap(cache, cpu); });
}

uint32_t Kmem::take_oldest_of(KmemCache& cache, CpuId cpu, std::span<void*> objects) {
  LockGuard guard(drain_lock_);
  array_table_.turn_off();
  const uint32_t count = array_table_.settle() ? cache.cpu_arrays.take_oldest(cpu, objects) : 0;
  if (!fault_.active()) array_table_.turn_on();
  return count;
}

void Kmem::destroy(KmemCache* cache, uintptr_t place) {
  if (cache == nullptr) return;
  if (!is_listed(*cache)) {
    return reporter_->warn(place, "kmem_cache_destroy of a cache that is destroyed already");
  }
  if (shrink(*cache)) {
    // Pages that wait for readers carry the number of this cache.
    if ((cache->flags & QUARRY_SLAB_TYPESAFE_BY_RCU) != 0) rcu_->barrier(place);
    const char* name = cache->name;
    {
      LockGuard guard(list_lock_);
      unlink(*cache);
      cache->name = nullptr;
      // A late free through the old pointer finds arrays of capacity 0.
      cache->cpu_arrays.init(array_table_, cache->cpu_arrays.offset(), 0);
    }
    if (kmalloc_engine_ != nullptr) kfree(cache, place);
    return kfree(name, place);
  }
  engine_->report_leftovers(*cache);
  const SlabCounts left = counts(*cache);
  char caller[128] = {};
  reporter_->platform().symbolize(place, caller);
  FixedText<320> text;
  format(text, "kmem_cache_destroy %s: Slab cache still has objects when called from %s",
         cache->name, static_cast<const char*>(caller));
  format(text, " (%zu in %zu slabs; it is kept)", left.total_objects - left.free_in_partial,
         left.slabs);
  reporter_->warn(place, text.c_str());
  report_leaks(*cache);
}

void Kmem::report_leaks(KmemCache& cache) {
  if ((cache.flags & QUARRY_SLAB_STORE_USER) == 0) return;
  LogText out(reporter_->platform());
  format(out, "%s: who allocated what was never freed:\n", cache.name);
  if (!engine_->write_traces(cache, TrackKind::kAlloc, out)) format(out, "no memory to tell\n");
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
  if (array_table_.lockless()) {
    // No lock keeps another thread from its CPU's array: arrays that are off do.
    array_table_.turn_off();
    array_table_.settle();
    return;
  }
  for (unsigned cpu = 0; cpu != array_table_.cpus(); ++cpu) {
    array_table_.lock(CpuId(cpu)).lock_nested();
  }
}

void Kmem::unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  if (!array_table_.lockless()) {
    for (unsigned cpu = array_table_.cpus(); cpu-- != 0;) array_table_.lock(CpuId(cpu)).unlock();
  } else if (!fault_.active()) {
    array_table_.turn_on();
  }
  if (kmalloc_engine_ != nullptr) kmalloc_engine_->unlock_all();
  for_each_locked([&](KmemCache& cache) { engine_->unlock_all(cache); });
  drain_lock_.unlock();
  list_lock_.unlock();
}

}  // namespace quarry
