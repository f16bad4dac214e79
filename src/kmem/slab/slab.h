// SPDX-License-Identifier: MIT
#pragma once

// SLAB: a slab is a block of pages cut into objects; which of them are free stands beside them, in
// an array of their numbers. Every slab of a cache is in one of three lists of its node.
//
//   page.freelist   the array: a permutation of 0 ... objects - 1
//   page.active     objects taken; freelist[active] is the next to be taken, what lies before it
//                   has no meaning
//   page.colour     the slab's first object lies colour * colour_bytes behind its first byte
//
//   active == 0  <=>  in `free`;  active == objects  <=>  in `full`;  otherwise in `partial`
//   node.total_slabs == length of partial + full + free
//   node.free_slabs == length of free
//   node.free_objects == sum over all slabs of (objects - active)
//   node.free_objects + node.shared_count <= node.free_limit, or no slab is in `free`, after every
//   free
//
// Linux does not count what its shared array holds against free_limit, and so keeps free slabs
// besides: pages that a node with so many free objects does without.
//
// An object is taken from the front of partial, then of free; then a slab is made. When an object
// comes back its slab goes to the end of partial, so that its other objects have time to come back
// too, or, when it was the last one, to the front of free, whose end is trimmed to free_limit.
//
// The free list lies in a free object (Linux: OBJFREELIST_SLAB), in an object of kmalloc
// (OFF_SLAB), or at the slab's end, whichever of these in this order is possible and worth it
// (slab_plan.h). In a free object it is written anew when the first object of a full slab comes
// back: into that one, which is then the last to be taken again. What a slab cannot use colours it:
// first objects of successive slabs of a node lie on different cache lines.
//
// Between the CPUs' arrays (Linux: array_cache; here Kmem's, with SLAB's limit and batchcount) and
// the lists of a node there are, in the cache's state,
//
//   shared   one array for each node, `shared` * batchcount objects: what its CPUs flush others of
//            them take, without a look at slabs
//   alien    one array for each pair of nodes, 12 objects: what CPUs of one node free of the
//            other's. A full one is emptied into the other's shared array, the rest into its lists
//
// and objects in them count as taken from their slabs. All of this room's state is laid out when
// the system boots: the shared arrays have room for kSharedRoom objects, and tunables that ask for
// more are refused.
//
// The timed reaper (reap(), a step that someone calls every two seconds for each CPU) lets caches
// that are not used shrink: one alien array is emptied, the CPU's and every four seconds the shared
// array lose a fifth, some free slabs are given up. An array that was touched since is spared once.
// The fast path leaves no mark when it touches one, so that is told from its count: an array that
// has other than the last reaping left, or was refilled since, was touched.
//
// Red zones, poison and last users (slab_check.cc) lie in the slot around an object; a cache with
// any of these has arrays of capacity 0, so that each allocation and free comes here.
//
// Locks: SlabNode::lock guards its lists and arrays and, of all slabs of the node's frames, active
// and free list. AlienArray::lock guards its array and is taken before SlabNode::lock, which has
// the same rank. Pages are allocated and freed outside of both.

#include "kmem/kmem.h"
#include "kmem/slab/slab_plan.h"
#include "kmem/slab_list.h"

namespace quarry {

// The first page of a slab with an array of numbers.
struct IndexedSlab : Page {
  static IndexedSlab& of(Page& page) {
    QUARRY_ASSERT((page.flags & (QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL)) == QUARRY_PAGE_SLAB);
    return static_cast<IndexedSlab&>(page);
  }
  uint16_t active() const { return inuse; }
  void set_active(uint32_t count) { inuse = static_cast<uint16_t>(count); }
  // The number of objects is the cache's, so its place is free for this.
  uint16_t colour() const { return objects; }
  void set_colour(uint32_t colour) { objects = static_cast<uint16_t>(colour); }
  SlabIndex* list() const { return static_cast<SlabIndex*>(freelist); }
};
static_assert(sizeof(IndexedSlab) == sizeof(Page));
// The largest slab in steps of the smallest colour.
static_assert((kPageBytes << 10) / Arch::kCacheLineBytes <= 1u << 16);

// Header and, behind it, room for the objects of the shared array.
struct alignas(64) SlabNode {
  static constexpr uint32_t kHeaderBytes = 128;

  mutable SpinLock lock{LockRank::kSlabNode};
  SlabList partial QUARRY_GUARDED_BY(lock);
  SlabList full QUARRY_GUARDED_BY(lock);
  SlabList free QUARRY_GUARDED_BY(lock);
  uint32_t total_slabs QUARRY_GUARDED_BY(lock) = 0;
  uint32_t free_slabs QUARRY_GUARDED_BY(lock) = 0;
  size_t free_objects QUARRY_GUARDED_BY(lock) = 0;
  size_t free_limit QUARRY_GUARDED_BY(lock) = 0;
  uint32_t colour_next QUARRY_GUARDED_BY(lock) = 0;
  uint32_t shared_limit QUARRY_GUARDED_BY(lock) = 0;
  uint32_t shared_count QUARRY_GUARDED_BY(lock) = 0;
  bool shared_touched QUARRY_GUARDED_BY(lock) = false;
  bool free_touched QUARRY_GUARDED_BY(lock) =
      false;  // a free slab was taken since the last reaping
  uint64_t next_reap_ns QUARRY_GUARDED_BY(lock) = 0;

  void** shared() QUARRY_REQUIRES(lock) { return reinterpret_cast<void**>(this + 1); }
};
static_assert(sizeof(SlabNode) <= SlabNode::kHeaderBytes);

// What the CPUs of one node have freed of another's.
struct alignas(64) AlienArray {
  static constexpr uint32_t kLimit = 12;

  mutable SpinLock lock{LockRank::kSlabNode};
  uint32_t count QUARRY_GUARDED_BY(lock) = 0;
  void* slot[kLimit] QUARRY_GUARDED_BY(lock) = {};
};

// What the reaper knows of a CPU's array. Written by whoever runs on that CPU.
struct SlabCpu {
  std::atomic<bool> refilled{false};    // since the last reaping
  std::atomic<uint16_t> count_then{0};  // what that left
  std::atomic<uint8_t> alien_next{0};   // node whose alien array is next
};

// A cache's state: this, then its nodes, aliens and CPUs. But for the tunables constant.
struct alignas(64) SlabState {
  SlabPlan plan{};
  uint32_t reciprocal = 0;  // index = offset * reciprocal >> 32
  uint32_t alien_limit;     // objects of an alien array
  bool checked;
  std::atomic<uint32_t> limit;
  std::atomic<uint32_t> batchcount;
  std::atomic<uint32_t> shared;
};

struct SlabOptions {
  unsigned max_order = 0;
  bool aliens = true;
};

class Slab final : public SlabEngine {
 public:
  // Of a shared array. Linux's own limits ask for 480; header and array are 4 KiB.
  static constexpr uint32_t kSharedRoom = (kPageBytes - SlabNode::kHeaderBytes) / sizeof(uint64_t);

  constexpr Slab() = default;
  void init(Kmem& kmem, PageAllocator& pages, const SlabOptions& options);

  uint32_t flags_of(const char* /*name*/, uint32_t flags) const override {
    return flags & (~uint32_t{QUARRY_SLAB_DEBUG_FLAGS} | kSlabCheckFlags);
  }
  bool shape(KmemCache& cache, unsigned cpus) const override;
  unsigned min_kmalloc_class() const override { return kMinSlabClass; }
  size_t state_bytes(unsigned nodes) const override;
  void init_state(KmemCache& cache) const override;
  uint32_t alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) override;
  void free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) override;
  void shrink(KmemCache& cache) override;
  SlabCounts node_counts(const KmemCache& cache, NodeId id) const override;
  bool validate(const KmemCache& cache, TextSink& out) const override;
  void lock_all(KmemCache& cache) override;
  void unlock_all(KmemCache& cache) override;
  uint32_t slab_objects(const KmemCache& cache, const Page&) const override;
  size_t object_offset(const KmemCache& cache, const Page& slab, size_t offset) const override;
  size_t usable_bytes(const KmemCache& cache, const void* /*object*/) const override {
    return cache.object_size;
  }
  SlabTunables tunables(const KmemCache& cache) const override;
  bool has_tunables() const override { return true; }
  bool set_tunables(KmemCache& cache, const SlabTunables& wanted) override;
  uint64_t reap_interval_ns() const override { return 2'000'000'000; }
  void reap(KmemCache& cache, CpuId cpu) override;

 private:
  // Slabs that are in no list and counted nowhere any more, linked by link_next.
  struct DeadSlabs {
    uint32_t first = 0;
  };
  // What is counted of lists, for comparison.
  struct SlabSums {
    uint32_t slabs = 0;
    size_t free_objects = 0;
  };

  SlabState& state_of(const KmemCache& cache) const {
    return *static_cast<SlabState*>(cache.engine_state);
  }
  SlabNode& node_of(const KmemCache& cache, unsigned node) const {
    auto* nodes = reinterpret_cast<unsigned char*>(&state_of(cache) + 1);
    return *reinterpret_cast<SlabNode*>(nodes + size_t{node} * node_bytes_);
  }
  AlienArray& alien_of(const KmemCache& cache, unsigned from, unsigned owner) const {
    return reinterpret_cast<AlienArray*>(&node_of(cache, nodes_))[from * nodes_ + owner];
  }
  SlabCpu& cpu_of(const KmemCache& cache, CpuId cpu) const {
    return reinterpret_cast<SlabCpu*>(&alien_of(cache, aliens_ ? nodes_ : 0, 0))[cpu.value()];
  }
  IndexedSlab& slab_at(uint32_t frame) const { return IndexedSlab::of(*map_->page(Pfn(frame))); }
  IndexedSlab& slab_of(const void* object) const {
    return IndexedSlab::of(*compound_head(*map_, map_->page_at(object)));
  }
  unsigned char* first_slot(const SlabState& state, const IndexedSlab& slab) const {
    return static_cast<unsigned char*>(map_->address(&slab)) +
           size_t{slab.colour()} * state.plan.colour_bytes;
  }

  // slab_shape.cc
  void apply(const KmemCache& cache, const SlabTunables& wanted) const;

  // slab.cc: lists and arrays of a node. What has no lock named is of slabs whose node is locked.
  uint32_t take_shared(SlabNode& node, std::span<void*> objects) QUARRY_REQUIRES(node.lock);
  uint32_t take_from(const SlabState& state, IndexedSlab& slab, std::span<void*> objects);
  uint32_t take(KmemCache& cache, SlabNode& node, bool shared_too, std::span<void*> objects);
  uint32_t fall_back(KmemCache& cache, Gfp gfp, NodeId local, std::span<void*> objects);
  bool touch(const KmemCache& cache);
  void put_shared(SlabNode& node, std::span<void* const>& objects) QUARRY_REQUIRES(node.lock);
  uint32_t put_run(const SlabState& state, IndexedSlab& slab, std::span<void* const> objects);
  void free_block(const KmemCache& cache, SlabNode& node, std::span<void* const> objects)
      QUARRY_REQUIRES(node.lock);
  void bury_last(const KmemCache& cache, SlabNode& node, DeadSlabs& dead)
      QUARRY_REQUIRES(node.lock);
  void trim(const KmemCache& cache, SlabNode& node, DeadSlabs& dead) QUARRY_REQUIRES(node.lock);
  void put(KmemCache& cache, unsigned owner, bool shared_too, std::span<void* const> objects);
  void drain_alien_locked(KmemCache& cache, AlienArray& alien, unsigned owner, DeadSlabs& dead)
      QUARRY_REQUIRES(alien.lock);
  void put_alien(KmemCache& cache, unsigned from, unsigned owner, std::span<void* const> objects);
  void put_all(KmemCache& cache, std::span<void* const> objects);

  // slab_pages.cc: slabs from pages and back
  uint32_t grow(KmemCache& cache, Gfp gfp, NodeId node, std::span<void*> objects);
  bool place_freelist(const SlabState& state, IndexedSlab& slab, Gfp gfp, NodeId node);
  void fill(KmemCache& cache, IndexedSlab& slab);
  void give_up(KmemCache& cache, DeadSlabs dead);
  void report_out_of_memory(const KmemCache& cache, Gfp gfp, NodeId node);

  // slab_reap.cc
  void free_oldest_shared(const KmemCache& cache, SlabNode& node, uint32_t count)
      QUARRY_REQUIRES(node.lock);
  void drain_shared(KmemCache& cache, unsigned id);
  void drain_alien(KmemCache& cache, unsigned from, unsigned owner);
  void free_slabs(KmemCache& cache, unsigned id, uint32_t most);
  void reap_cpu_array(KmemCache& cache, SlabCpu& own, CpuId cpu);
  void reap_node(KmemCache& cache, unsigned id);

  // slab_debug.cc: caches that look for misuse
  static void poison(const SlabState& state, void* slot, bool in_use);
  void prepare_slots(KmemCache& cache, IndexedSlab& slab);
  void check_poison(const KmemCache& cache, void* slot);
  void* check_taken(KmemCache& cache, void* slot, uintptr_t place);
  void* check_given(KmemCache& cache, void* object);
  void put_checked(KmemCache& cache, void* slot, uintptr_t place);
  void check_dead(KmemCache& cache, IndexedSlab& slab);
  void show_slot(TextSink& out, const KmemCache& cache, void* slot, unsigned lines);
  void show_red_zones(const void* slot, uint64_t zone_1, uint64_t zone_2);
  void slab_error(const KmemCache& cache, const char* function, const char* problem);
  void report_bad_free(const KmemCache& cache, const void* slot);

  // slab_check.cc
  static bool is_free(const SlabState& state, const IndexedSlab& slab, uint32_t index);
  bool may_wait(const KmemCache& cache, const void* object, unsigned id) const;
  bool slab_is_sound(const KmemCache& cache, unsigned id, const Page& page) const;
  bool count_list(const KmemCache& cache, unsigned id, const SlabList& list, SlabSums& sums,
                  TextSink& out) const;
  bool validate_node(const KmemCache& cache, unsigned id, TextSink& out) const;
  bool validate_alien(const KmemCache& cache, unsigned from, unsigned owner, TextSink& out) const;

  Kmem* kmem_ = nullptr;
  PageAllocator* pages_ = nullptr;
  const PageMap* map_ = nullptr;
  unsigned nodes_ = 0;
  uint32_t node_bytes_ = 0;
  uint32_t shared_room_ = 0;  // 0 on a machine with one CPU
  bool aliens_ = false;
  unsigned max_order_ = 0;
  RateLimit out_of_memory_limit_{5'000'000'000, 10};  // Linux: slab_oom_rs
};

}  // namespace quarry
