// SPDX-License-Identifier: MIT
#pragma once

// SLUB: a slab is a block of pages cut into objects; free objects are linked through themselves,
// and everything else about a slab is in the descriptor of its first page.
//
//   page.freelist   first free object; each holds the address of the next at cache.offset
//   page.objects    objects in the slab
//   page.inuse      objects taken: with users or in per-CPU arrays
//   page.link_*     place in the node's partial list
//
//   length of freelist == objects - inuse
//   a slab is in the partial list of its node  <=>  inuse < objects
//   node.free_objects == sum over partial list of (objects - inuse)
//   node.total_objects == sum over all slabs of objects
//
// New slabs come from the page allocator in the preferred order, or, when memory is fragmented, in
// the smallest order that holds one object. A slab whose last object comes back is given up if the
// node keeps min_partial slabs already. Objects are handed out from the front of the partial list;
// a slab that was full joins at the back when its first object comes back. shrink() brings slabs
// with at most 32 free objects to the front, the fullest first: they fill up, and others empty.
//
// Caches with flags of debugging have no per-CPU arrays, and their slots hold more than objects:
// slub_debug.h.
//
// Locks: SlubNode::lock guards the lists, the sums and inuse and freelist of all slabs of the
// node's frames. Pages are allocated and freed outside of it.

#include "kmem/kmem.h"
#include "kmem/slab_list.h"
#include "kmem/slub/slub_debug.h"
#include "kmem/slub/track_table.h"

namespace quarry {

struct alignas(64) SlubNode {
  SpinLock lock{LockRank::kSlabNode};
  SlabList partial QUARRY_GUARDED_BY(lock);
  SlabList full QUARRY_GUARDED_BY(lock);  // of caches that list them
  uint32_t nr_partial QUARRY_GUARDED_BY(lock) = 0;
  uint32_t nr_slabs QUARRY_GUARDED_BY(lock) = 0;
  size_t nr_pages QUARRY_GUARDED_BY(lock) = 0;
  size_t total_objects QUARRY_GUARDED_BY(lock) = 0;
  size_t free_objects QUARRY_GUARDED_BY(lock) = 0;
};

// Kernel parameters slub_min_order, slub_max_order, slub_min_objects, and what Linux decides when
// it is configured.
struct SlubTuning {
  Order min_order{0};
  Order max_order{3};        // PAGE_ALLOC_COSTLY_ORDER
  uint32_t min_objects = 0;  // 0: by the number of CPUs
  bool hardened = false;     // links of free objects are mixed with a secret
  bool random = false;       // slabs are handed out in an order of their own
  uint64_t seed = 0;
};

class Slub final : public SlabEngine {
 public:
  constexpr Slub() = default;
  void init(Kmem& kmem, PageAllocator& pages, const SlubTuning& tuning) {
    kmem_ = &kmem;
    pages_ = &pages;
    tuning_ = tuning;
    map_ = &pages.map();
    debug_.init(pages);
  }
  // The kernel parameter slub_debug, if it is there; before any cache is made. False: no memory.
  bool set_debug_options(const char* value, BootMemory& boot);
  // Pages that hold backtraces, while any slab has objects whose users are kept.
  size_t backtrace_pages() const {
    return debug_.depot().pools() * (StackDepot::kPoolBytes / kPageBytes);
  }

  uint32_t flags_of(const char* name, uint32_t flags) const override {
    return debug_.options().flags_of(name, flags);
  }
  bool shape(KmemCache& cache, unsigned cpus) const override;
  size_t state_bytes(unsigned nodes) const override { return nodes * sizeof(SlubNode); }
  void init_state(KmemCache& cache) const override;
  uint32_t alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) override;
  void free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) override;
  size_t usable_bytes(const KmemCache& cache, const void* object) const override;
  size_t object_offset(const KmemCache& cache, const Page& slab, size_t offset) const override;
  size_t asked_bytes(const KmemCache& cache, const void* object) const override;
  void set_asked_bytes(const KmemCache& cache, void* object, size_t bytes) override;
  void shrink(KmemCache& cache) override;
  SlabCounts node_counts(const KmemCache& cache, NodeId id) const override;
  size_t taken_from_partial(const KmemCache& cache, NodeId id) const override;
  bool validate(const KmemCache& cache, TextSink& out) const override;
  SlabCheck check(KmemCache& cache) override;
  void report_leftovers(KmemCache& cache) override;
  bool write_traces(KmemCache& cache, TrackKind kind, TextSink& out) override;
  Origin origin(KmemCache& cache, void* object, TrackKind kind) override;
  void show_tracks(KmemCache& cache, void* object, TextSink& out) override;
  void lock_all(KmemCache& cache) override;
  void unlock_all(KmemCache& cache) override;

 private:
  SlubNode& node_of(const KmemCache& cache, unsigned node) const {
    return static_cast<SlubNode*>(cache.engine_state)[node];
  }
  // slub.cc: the partial list of a node
  void append(SlubNode& node, SlabPage& slab) QUARRY_REQUIRES(node.lock);
  void remove(SlubNode& node, SlabPage& slab) QUARRY_REQUIRES(node.lock);
  uint32_t take(KmemCache& cache, SlubNode& node, const ObjectRequest& request,
                std::span<void*> objects);
  template <class Links>
  uint32_t take_from(const Links& links, SlabPage& slab, std::span<void*> objects);
  uint32_t take_remote(KmemCache& cache, NodeId home, const ObjectRequest& request,
                       std::span<void*> objects);
  uint32_t sort_partial_locked(KmemCache& cache, SlubNode& node) QUARRY_REQUIRES(node.lock);
  void discount_empty(SlubNode& node, const SlabPage& slab) QUARRY_REQUIRES(node.lock);
  // Under the lock of the slab's node.
  template <class Links>
  uint32_t put_run_locked(const Links& links, SlabPage& slab, std::span<void* const> objects);
  bool has_become_empty(KmemCache& cache, SlubNode& node, SlabPage& slab, uint32_t count)
      QUARRY_REQUIRES(node.lock);

  // slub_debugged.cc: the same for caches that are debugged
  SlabView view_of(KmemCache& cache, SlabPage& slab) const { return {cache, slab, *map_}; }
  // Where it is written what kmalloc was asked for. Null: nowhere, or that is no object.
  uint32_t* asked_of(const KmemCache& cache, const void* object) const;
  uint32_t take_debugged(KmemCache& cache, SlubNode& node, const ObjectRequest& request,
                         std::span<void*> objects);
  uint32_t take_debugged_locked(KmemCache& cache, SlubNode& node, const ObjectRequest& request,
                                const Backtrace& backtrace, std::span<void*> objects)
      QUARRY_REQUIRES(node.lock);
  uint32_t add_debugged(KmemCache& cache, SlubNode& node, SlabPage& slab,
                        const ObjectRequest& request, std::span<void*> objects);
  void free_debugged(KmemCache& cache, std::span<void* const> objects, uintptr_t place);
  bool put_debugged_locked(KmemCache& cache, SlubNode& node, SlabPage& slab, void* object,
                           uintptr_t place, const Backtrace& backtrace) QUARRY_REQUIRES(node.lock);
  // Where a slab's counts were `objects` and `inuse` before something was done to it: brings the
  // node's sums and lists in line with what they are now.
  void resettle(KmemCache& cache, SlubNode& node, SlabPage& slab, uint16_t objects, uint16_t inuse)
      QUARRY_REQUIRES(node.lock);
  uint32_t check_list(KmemCache& cache, SlubNode& node, SlabList list) QUARRY_REQUIRES(node.lock);
  uint32_t check_node(KmemCache& cache, SlubNode& node);
  bool collect_tracks(KmemCache& cache, TrackKind kind, TrackTable& table);

  // slub_pages.cc: slabs from pages and back
  Page* new_slab_pages(KmemCache& cache, Gfp gfp, NodeId node);
  uint32_t grow(KmemCache& cache, Gfp gfp, NodeId node, const ObjectRequest& request,
                std::span<void*> objects);
  void count_new(SlubNode& node, const SlabPage& slab) QUARRY_REQUIRES(node.lock);
  uint32_t carve(KmemCache& cache, SlabPage& slab, std::span<void*> objects);
  uint32_t carve_at_random(KmemCache& cache, SlabPage& slab, std::span<void*> objects);
  void report_out_of_memory(const KmemCache& cache, Gfp gfp, NodeId node);

  bool validate_node(const KmemCache& cache, unsigned id, TextSink& out) const;

  Kmem* kmem_ = nullptr;
  PageAllocator* pages_ = nullptr;
  const PageMap* map_ = nullptr;
  SlubDebug debug_;
  SlubTuning tuning_;
  std::atomic<uint32_t> draws_{0};                    // random decisions so far
  RateLimit out_of_memory_limit_{5'000'000'000, 10};  // Linux: slub_oom_rs
};

}  // namespace quarry
