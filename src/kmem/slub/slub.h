// SPDX-License-Identifier: MIT
#pragma once

// SLUB: a slab is a block of pages cut into objects; free objects are linked through themselves,
// and everything else about a slab is in the descriptor of its first page.
//
//   page.freelist   first free object; each holds the address of the next at free_pointer
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
// a slab that was full joins at the back when its first object comes back.
//
// Locks: SlubNode::lock guards the list, the sums and inuse and freelist of all slabs of the node's
// frames. Pages are allocated and freed outside of it.

#include "kmem/kmem.h"

namespace quarry {

struct alignas(64) SlubNode {
  SpinLock lock{LockRank::kSlabNode};
  uint32_t first QUARRY_GUARDED_BY(lock) = 0;  // frame numbers of the ends of the partial list
  uint32_t last QUARRY_GUARDED_BY(lock) = 0;
  uint32_t nr_partial QUARRY_GUARDED_BY(lock) = 0;
  uint32_t nr_slabs QUARRY_GUARDED_BY(lock) = 0;
  size_t nr_pages QUARRY_GUARDED_BY(lock) = 0;
  size_t total_objects QUARRY_GUARDED_BY(lock) = 0;
  size_t free_objects QUARRY_GUARDED_BY(lock) = 0;
};

class Slub final : public SlabEngine {
 public:
  constexpr Slub() = default;
  void init(Kmem& kmem, PageAllocator& pages) {
    kmem_ = &kmem;
    pages_ = &pages;
    map_ = &pages.map();
  }

  bool shape(KmemCache& cache, unsigned cpus) const override;
  size_t state_bytes(unsigned nodes) const override { return nodes * sizeof(SlubNode); }
  void init_state(KmemCache& cache) const override;
  uint32_t alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) override;
  void free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) override;
  size_t usable_bytes(const KmemCache& cache, const void* object) const override;
  void shrink(KmemCache& cache) override;
  SlabCounts counts(const KmemCache& cache) const override;
  bool validate(const KmemCache& cache, TextSink& out) const override;
  void lock_all(KmemCache& cache) override;
  void unlock_all(KmemCache& cache) override;

 private:
  SlubNode& node_of(const KmemCache& cache, unsigned node) const {
    return static_cast<SlubNode*>(cache.engine_state)[node];
  }
  static void** link_in(const KmemCache& cache, void* object) {
    return reinterpret_cast<void**>(static_cast<unsigned char*>(object) + cache.free_pointer);
  }

  // slub.cc: the partial list of a node
  void append(SlubNode& node, SlabPage& slab) QUARRY_REQUIRES(node.lock);
  void remove(SlubNode& node, SlabPage& slab) QUARRY_REQUIRES(node.lock);
  uint32_t take(KmemCache& cache, SlubNode& node, std::span<void*> objects);
  uint32_t take_from(const KmemCache& cache, SlabPage& slab, std::span<void*> objects);
  uint32_t take_remote(KmemCache& cache, NodeId home, std::span<void*> objects);
  void discount_empty(SlubNode& node, const SlabPage& slab) QUARRY_REQUIRES(node.lock);
  // Under the lock of the slab's node.
  uint32_t put_run_locked(const KmemCache& cache, SlabPage& slab, std::span<void* const> objects);
  bool has_become_empty(KmemCache& cache, SlubNode& node, SlabPage& slab, uint32_t count)
      QUARRY_REQUIRES(node.lock);

  // slub_pages.cc: slabs from pages and back
  Page* new_slab_pages(KmemCache& cache, Gfp gfp, NodeId node);
  uint32_t grow(KmemCache& cache, Gfp gfp, NodeId node, std::span<void*> objects);
  uint32_t carve(KmemCache& cache, SlabPage& slab, std::span<void*> objects);
  void report_out_of_memory(const KmemCache& cache, Gfp gfp, NodeId node);

  bool validate_node(const KmemCache& cache, unsigned id, TextSink& out) const;

  Kmem* kmem_ = nullptr;
  PageAllocator* pages_ = nullptr;
  const PageMap* map_ = nullptr;
  RateLimit out_of_memory_limit_{5'000'000'000, 10};  // Linux: slub_oom_rs
};

}  // namespace quarry
