// SPDX-License-Identifier: MIT
#pragma once

// kmem_cache and kmalloc.
//
// A cache has, for each CPU, an array of free objects (sync/cpu_arrays.h) above one engine that
// cuts slabs (slab_engine.h). The path of an object:
//
//   alloc    pop from this CPU's array
//            | array empty or off: take a batch from the engine, keep one, push the rest
//   free     address -> page -> number of the cache -> push onto this CPU's array
//            | array full: give a batch back to the engine
//            | array off, or object of another node: straight to the engine
//
// Caches live in one table; a page of a slab carries the number of its cache. Number 0 is a cache
// without arrays that owns nothing, so that freeing what is no object falls out of the fast path
// without a test of its own. Numbers 1 ... 52 are kmalloc's, then those of cache_create().
//
//   objects taken from slabs == objects with users + objects in arrays         for each cache
//
// Locks: list_lock_ (kCacheList) guards the table and the list of caches; drain_lock_ (kCache) is
// held while the arrays of all CPUs are emptied; the engine's (kSlabNode); CpuArrays' (kCpuArrays).
// Nothing is allocated under a lock; pages are freed under drain_lock_, and under list_lock_ by who
// visits all caches to empty them.

#include "check/fault_injection.h"
#include "kmem/size_classes.h"
#include "kmem/slab_engine.h"
#include "sync/execution_context.h"
#include "sync/rcu.h"
#include "zone/page_allocator.h"

namespace quarry {

// What kmalloc(0) returns (Linux: ZERO_SIZE_PTR).
inline constexpr uintptr_t kZeroSizeAddress = 16;

// Frames that hold objects, by whether somebody could be asked to give them back (Linux:
// NR_SLAB_RECLAIMABLE_B, NR_SLAB_UNRECLAIMABLE_B).
struct NodePages {
  size_t reclaimable = 0;
  size_t unreclaimable = 0;

  NodePages& operator+=(const NodePages& other) {
    reclaimable += other.reclaimable;
    unreclaimable += other.unreclaimable;
    return *this;
  }
};

class Kmem {
 public:
  // One array of any cache: the header and room for this many objects.
  static constexpr uint16_t kArrayEntries = 126;
  static constexpr size_t kArrayBytes = sizeof(quarry_array) + kArrayEntries * sizeof(void*);
  // The most objects that move between an array and the engine at a time.
  static constexpr uint32_t kMaxBatch = kArrayEntries;

  constexpr Kmem() = default;
  Kmem(const Kmem&) = delete;
  Kmem& operator=(const Kmem&) = delete;

  // Tables come from `boot`; the caches of kmalloc exist afterwards but pages must have been handed
  // over before the first allocation. False, after a report: not enough memory.
  bool boot(PageAllocator& pages, SlabEngine& engine, Rcu& rcu, BootMemory& boot,
            const FaultParameters& failslab, uint64_t seed);

  // `place`, here and below: whom reports and tracks name. A number, or a function that finds it,
  // which is called only where it is needed: a fast path would load it for nothing.

  // --- kmalloc (contracts: quarry/memory_system.h) ---

  template <class Place>
  [[gnu::always_inline]] void* kmalloc(size_t bytes, Gfp gfp, Place place) {
    // Size 0 wraps to the largest number.
    if (bytes - 1 >= kMaxClassBytes) [[unlikely]]
      return kmalloc_large(bytes, gfp, kNoNode, address_of(place));
    return kmalloc_at(
        size_class(bytes), gfp, bytes, place, [ =, this ]() __attribute__((always_inline)) {
          return kmalloc_slow(bytes, gfp, address_of(place), *this);
        });
  }
  // The class is that of `bytes`.
  template <class Place>
  [[gnu::always_inline]] void* kmalloc_class(unsigned size_class, Gfp gfp, size_t bytes,
                                             Place place) {
    return kmalloc_at(
        size_class, gfp, bytes, place, [ =, this ]() __attribute__((always_inline)) {
          return kmalloc_class_slow(size_class, gfp, bytes, address_of(place), *this);
        });
  }
  void* kmalloc_node(size_t bytes, Gfp gfp, NodeId node, uintptr_t place);
  // Whole pages, whatever the size.
  [[gnu::noinline]] void* kmalloc_large(size_t bytes, Gfp gfp, NodeId node, uintptr_t place);
  template <class Place>
  [[gnu::always_inline]] void kfree(const void* object, Place place) {
    if (!map_.in_direct_map(object)) [[unlikely]]
      return kfree_slow(nullptr, object, address_of(place));
    push_or_free(map_.page_at(object), object, place);
  }
  void* krealloc(const void* object, size_t bytes, Gfp gfp, uintptr_t place);
  void kfree_sensitive(const void* object, uintptr_t place);
  size_t ksize(const void* object) const;
  size_t size_roundup(size_t bytes) const;
  // Whole pages for a request of kmalloc whose context and faults have been seen to.
  void* kmalloc_pages(const ObjectRequest& request);

  // --- Caches ---

  KmemCache* create(const CacheRequest& request, uintptr_t place);
  // Whether a new cache may be an old one by another name.
  void set_merging(bool merges) { merges_ = merges; }
  // Calls `visit(const char*)` with all names of a cache, newest first.
  template <class Visit>
  void for_each_name(const KmemCache& cache, Visit&& visit) const {
    LockGuard guard(list_lock_);
    if (cache.names == nullptr) visit(cache.name);
    for (CacheName* name = cache.names; name != nullptr; name = name->next) visit(name->text());
  }
  // The oldest cache of that name, its own or that of one which was merged with it. Null: none.
  KmemCache* find(const char* name) const;
  void destroy(KmemCache* cache, uintptr_t place);
  // True: no slab remains.
  bool shrink(KmemCache& cache);

  template <class Place>
  [[gnu::always_inline]] void* alloc(KmemCache& cache, Gfp gfp, Place place) {
    return alloc_at(
        cache.array_offset, [&]() -> KmemCache& { return cache; }, gfp,
        [&, this ]() __attribute__((always_inline)) {
          return alloc_slow(cache, gfp, kNoNode, 0, address_of(place));
        });
  }
  void* alloc_node(KmemCache& cache, Gfp gfp, NodeId node, uintptr_t place);
  template <class Place>
  [[gnu::always_inline]] void free(KmemCache& cache, void* object, Place place) {
    Page* page = map_.page_at(object);
    if (!map_.in_direct_map(object) || page->cache != cache.number) [[unlikely]] {
      return free_to_wrong_cache(cache, object, address_of(place));
    }
    push_or_free(page, object, place);
  }
  size_t alloc_bulk(KmemCache& cache, Gfp gfp, std::span<void*> objects, uintptr_t place);
  // Null cache: of any cache.
  void free_bulk(KmemCache* cache, std::span<void*> objects, uintptr_t place);
  // Null: not an object of a cache.
  KmemCache* cache_of(const void* object) const;
  // Says in the kernel's words which object the address lies in (kmem_dump_obj), and who allocated
  // and who freed it, where that is recorded. False: in none.
  bool describe(const void* address, TextSink& out) const;

  // --- The rest ---

  // Calls `visit(KmemCache&)` in order of creation, under the lock of the list.
  template <class Visit>
  void for_each(Visit&& visit) const {
    LockGuard guard(list_lock_);
    for_each_locked(visit);
  }
  // The same from the newest on, as Linux keeps its list.
  template <class Visit>
  void for_each_newest_first(Visit&& visit) const {
    LockGuard guard(list_lock_);
    for (KmemCache* cache = last_; cache != nullptr; cache = cache->previous) visit(*cache);
  }
  // False: the engine counts nothing for a cache, only the pages of all.
  bool counts_caches() const { return kmalloc_engine_ == nullptr; }
  SlabCounts counts(const KmemCache& cache) const;
  // Reports and repairs what users have broken in the cache's slabs.
  SlabCheck check(KmemCache& cache);
  // Says who allocated the objects of the cache that are in use.
  void report_leaks(KmemCache& cache);
  // Free objects in the cache's arrays, those of CPUs and of the engine; exact only while nobody
  // uses them.
  size_t cached_objects(const KmemCache& cache) const;
  SlabEngine& engine() const { return *engine_; }
  PageAllocator& pages() const { return *pages_; }
  // Frames behind all slabs.
  size_t slab_pages() const;
  // Frames of a node behind slabs and large kmalloc blocks.
  NodePages node_pages(NodeId node) const;
  // From engines: a block of pages has become a slab, or is none any longer. Its first page tells
  // cache, node and order.
  void add_slab_pages(const Page& slab) {
    slab_counter(slab).fetch_add(size_t{1} << slab.order, std::memory_order_relaxed);
  }
  void sub_slab_pages(const Page& slab) {
    slab_counter(slab).fetch_sub(size_t{1} << slab.order, std::memory_order_relaxed);
  }

  // Requires 0 < batchcount <= limit. The arrays of all CPUs are empty afterwards. False: there is
  // no room for such arrays. Process context.
  bool set_tunables(KmemCache& cache, const SlabTunables& tunables);
  // Of an engine without tunables: the arrays of all CPUs are empty afterwards, and hold that many
  // objects from now on, also while others use them. False: there is no room for so many. Process
  // context.
  bool set_array_capacity(KmemCache& cache, uint32_t capacity);
  // One round of the timed reaper on behalf of a CPU. Process context.
  void reap(CpuId cpu);
  // For the engine: takes those objects out of a CPU's array that are there longest; how many.
  uint32_t take_oldest_of(KmemCache& cache, CpuId cpu, std::span<void*> objects);
  // For the engine. Gives the pages of a slab back that is in no list and counted nowhere any more;
  // with SLAB_TYPESAFE_BY_RCU they stay as they are until every reader is gone who may look at
  // them.
  void free_slab(const KmemCache& cache, Page& slab);
  // Has SlabEngine::grace_period_over(head) called then.
  void call_engine_after_grace_period(RcuHead& head);
  // From Rcu, with a tag of those two.
  void grace_period_over(RcuHead& head, uintptr_t tag);

  // Replaces failslab's parameters; the arrays of all caches are off while it is active.
  void set_fault_parameters(const FaultParameters& parameters);
  // Objects are zero when they are given out, or from their free on, but for those of caches with
  // constructors and for RCU. The arrays of all caches are off then.
  void set_zeroing(bool on_alloc, bool on_free);
  FaultInjector& fault_injector() { return fault_; }
  const FaultInjector& fault_injector() const { return fault_; }
  // For failslab's cache filter (Linux: /sys/kernel/slab/NAME/failslab).
  static void choose_for_failslab(KmemCache& cache, bool chosen) {
    const std::atomic_ref flags(cache.flags);
    chosen ? flags.fetch_or(QUARRY_SLAB_FAILSLAB, std::memory_order_relaxed)
           : flags.fetch_and(~QUARRY_SLAB_FAILSLAB, std::memory_order_relaxed);
  }

  bool validate(TextSink& out) const;
  void lock_all();
  void unlock_all();

  // Without the bits that make no sense for objects, after a report (Linux: GFP_SLAB_BUG_MASK). To
  // be asked for where pages are needed.
  Gfp without_bug_bits(Gfp gfp) { return any(gfp, gfp::kSlabBugMask) ? report_bug_bits(gfp) : gfp; }

  // Reports in the kernel's words about one object: "BUG kmalloc-64 (Not tainted): ...".
  void report_object(const KmemCache& cache, const void* object, const char* problem);
  // Somebody freed to a cache what is no object of any.
  void report_no_object(const KmemCache& cache, const void* object, uintptr_t place);

 private:
  friend struct KmemBoot;

  template <class Place>
  [[gnu::always_inline]] static uintptr_t address_of(Place place) {
    if constexpr (requires { place(); }) {
      return place();
    } else {
      return place;
    }
  }

  template <class Place, class Slow>
  [[gnu::always_inline]] void* kmalloc_at(unsigned size_class, Gfp gfp, size_t bytes, Place place,
                                          Slow slow) {
    if (any(gfp, kTypeBits)) [[unlikely]]
      return kmalloc_typed(size_class, gfp, bytes, address_of(place));
    const uint32_t offset = kmalloc_arrays_[size_class];
    return alloc_at(
        offset, [=, this]() -> KmemCache& { return caches_[offset / kArrayBytes]; }, gfp, slow);
  }
  // From the arrays at `offset`; `cache()` is whose they are, `slow()` does all that goes beyond
  // them. It is to be inlined where it finds the place of a call.
  template <class Cache, class Slow>
  [[gnu::always_inline]] void* alloc_at(uintptr_t offset, Cache cache, Gfp gfp, Slow slow) {
    if (!needs_context_check(uint32_t(gfp))) [[likely]] {
      void* object = Arch::pop(arrays_, offset);
      if (object != nullptr) [[likely]] {
        // In tail position, so that no register has to be saved.
        if (any(gfp, gfp::kZero)) return __builtin_memset(object, 0, cache().object_size);
        return object;
      }
    }
    return slow();
  }
  // Cache number 0 has arrays of capacity 0.
  template <class Place>
  [[gnu::always_inline]] void push_or_free(Page* page, const void* object, Place place) {
    switch (Arch::push(arrays_, page->cache * kArrayBytes, const_cast<void*>(object), page->node)) {
      [[likely]] case PushResult::kPushed : return;
      case PushResult::kTwice:
        return report_freed_twice(page, object);
      case PushResult::kRefused:
        return kfree_slow(page, object, address_of(place));
    }
  }
  KmemCache& typed_cache(unsigned size_class, Gfp gfp) {
    return caches_[kmalloc_cache_number(kmalloc_type(gfp), own_class(size_class))];
  }
  // The class whose caches serve this one.
  unsigned own_class(unsigned size_class) const {
    return size_class < min_class_ ? min_class_ : size_class;
  }
  [[gnu::noinline]] void* kmalloc_typed(unsigned size_class, Gfp gfp, size_t bytes,
                                        uintptr_t place);
  // Parameters are in the order in which the fast paths have them: no register is moved for them.
  [[gnu::noinline]] static void* kmalloc_slow(size_t bytes, Gfp gfp, uintptr_t place, Kmem& kmem);
  [[gnu::noinline]] static void* kmalloc_class_slow(unsigned size_class, Gfp gfp, size_t bytes,
                                                    uintptr_t place, Kmem& kmem);
  void print_frames(TextSink& out, const Backtrace& backtrace) const;
  void* kmalloc_by_engine(ObjectRequest request);
  // Everything that the fast path does not do; parameters as in ObjectRequest.
  [[gnu::noinline]] void* alloc_slow(KmemCache& cache, Gfp gfp, NodeId node, size_t bytes,
                                     uintptr_t place);
  [[gnu::noinline]] void kfree_slow(Page* page, const void* object, uintptr_t place);
  [[gnu::cold, gnu::noinline]] void report_freed_twice(const Page* page, const void* object);
  [[gnu::cold]] void kfree_foreign(Page* page, const void* object, uintptr_t place);
  [[gnu::cold, gnu::noinline]] void free_to_wrong_cache(KmemCache& cache, void* object,
                                                        uintptr_t place);
  [[gnu::cold]] Gfp report_bug_bits(Gfp gfp);
  // Whether the object is the next its slab would hand out.
  bool is_first_free(const void* object) const;
  bool may_alloc(KmemCache& cache, Gfp gfp, uintptr_t place);
  // A request that may not be made here was reported, and must not sleep after all.
  static Gfp without_sleeping(Gfp gfp) {
    return context_forbids(Arch::context(), uint32_t(gfp)) ? gfp & ~gfp::kDirectReclaim : gfp;
  }
  static size_t bytes_to_clear(const KmemCache& cache, size_t asked);
  void* pop_of_node(KmemCache& cache, NodeId node);
  static uint32_t cache_and_node(const Page& page) {
    return uint32_t{page.node} << 16 | page.cache;
  }
  size_t run_length(std::span<void* const> objects) const;
  void* refill(KmemCache& cache, const ObjectRequest& request);
  void release_slab(Page& slab);
  uint32_t take_oldest(KmemCache& cache, std::span<void*> objects);
  bool zeroes_on_alloc(const KmemCache& cache, Gfp gfp) const;
  bool zeroes_on_free(const KmemCache& cache) const;
  bool wants_arrays() const { return !fault_.active() && !zero_on_alloc_ && !zero_on_free_; }
  bool make_room(KmemCache& cache, void* object, uint16_t node, uintptr_t place);

  bool make_kmalloc_caches();
  KmemCache* try_create(const CacheRequest& request, const char*& problem, uintptr_t place);
  KmemCache* make_cache(const CacheRequest& request, CacheName* name, void* memory,
                        const char*& problem) QUARRY_REQUIRES(list_lock_);
  KmemCache* find_mergeable(const CacheRequest& request, uint32_t align) const
      QUARRY_REQUIRES(list_lock_);
  bool drop_user(KmemCache& cache);
  void report_leftovers(KmemCache& cache, uintptr_t place);
  KmemCache* claim_cache(void* memory) QUARRY_REQUIRES(list_lock_);
  bool is_listed(const KmemCache& cache) const;
  bool set_up(KmemCache& cache, const char* name, uint32_t bytes, uint32_t align, uint32_t flags,
              void (*ctor)(void*)) QUARRY_REQUIRES(list_lock_);
  template <class Visit>
  void for_each_locked(Visit&& visit) const QUARRY_REQUIRES(list_lock_) {
    for (KmemCache* cache = first_; cache != nullptr; cache = cache->next) visit(*cache);
  }
  void link(KmemCache& cache) QUARRY_REQUIRES(list_lock_);
  void unlink(KmemCache& cache) QUARRY_REQUIRES(list_lock_);
  template <class Action>
  void drain_arrays(KmemCache& cache, Action&& while_empty);

  // What every allocation reads comes first.
  KmemCache* caches_ = nullptr;
  quarry_arrays arrays_{};
  PageMap map_;  // a copy, which saves the fast paths a load
  // array_offset of the cache that serves a size class. Where there are no such caches, because the
  // engine serves kmalloc, all are 0: the arrays of number 0 never hold anything.
  uint32_t kmalloc_arrays_[kClasses] = {};
  unsigned min_class_ = 0;

  PageAllocator* pages_ = nullptr;
  SlabEngine* engine_ = nullptr;
  KmallocEngine* kmalloc_engine_ = nullptr;  // null: kmalloc has caches
  Reporter* reporter_ = nullptr;
  Rcu* rcu_ = nullptr;
  unsigned max_caches_ = 0;

  // Of cache number n: arrays at offset n * kArrayBytes of the table, engine state at state_memory_
  // + n * state_bytes_. With an engine that serves kmalloc the tables have number 0 only; caches
  // are objects of kmalloc then, and numbered as they come.
  CpuArrayTable array_table_;
  unsigned char* state_memory_ = nullptr;
  size_t state_bytes_ = 0;

  mutable SpinLock list_lock_{LockRank::kCacheList};
  KmemCache* first_ QUARRY_GUARDED_BY(list_lock_) = nullptr;
  KmemCache* last_ QUARRY_GUARDED_BY(list_lock_) = nullptr;
  uint16_t last_number_ QUARRY_GUARDED_BY(list_lock_) = 0;
  SpinLock drain_lock_{LockRank::kCache};

  std::atomic<size_t>& slab_counter(const Page& slab) {
    const bool reclaimable = (caches_[slab.cache].flags & QUARRY_SLAB_RECLAIM_ACCOUNT) != 0;
    PageCounters& counters = node_pages_[slab.node];
    return reclaimable ? counters.reclaimable_slabs : counters.other_slabs;
  }
  std::atomic<size_t>& large_counter(const Page& page, Order order);

  FaultInjector fault_;
  struct PageCounters {
    std::atomic<size_t> reclaimable_slabs{0};
    std::atomic<size_t> other_slabs{0};
    std::atomic<size_t> large_blocks{0};
  };
  PageCounters node_pages_[PageAllocator::kMaxNodes];
  bool merges_ = false;
  bool zero_on_alloc_ = false;
  bool zero_on_free_ = false;
  std::atomic<size_t> slab_pages_{0};
};

}  // namespace quarry
