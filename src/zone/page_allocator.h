// SPDX-License-Identifier: MIT
#pragma once

// The page allocator: blocks of 1 << order frames, from the zones of all nodes.
//
// Requests are served, in this order, by
//   1. this CPU's stack of free blocks in the first zone of the local node (page_stacks.h), for
//      orders 0 to 3 and huge pages, if the zone is above its low mark: no lock, no atomic
//      instruction;
//   2. the buddy system of the zones in the node's zonelist, each above its low mark, which also
//      refills the stack (buddy.h);
//   3. the slow path: the same at the mark that the request's flags allow, then reclaim, compaction
//      and the OOM killer through PressureHandler, then a report and null.
//
// State of a block's first page, and who may change it:
//   free in a zone        BUDDY, _refcount 0        the holder of zone->lock
//   free in a CPU stack   PCP, _refcount 0          nobody
//   allocated             _refcount > 0             its owner; HEAD and TAILs if compound
// The other pages of a block that is not compound are left as they are: zero.
//
// Equations, checked by validate():
//   zone.managed == zone.free_pages + pages in CPU stacks + allocated pages
//   each structure's own (buddy.h), and PCP marked pages == entries of CPU stacks
//
// Locks: CpuArrays' locks (kPageCpu), then zone->lock (kZone). Never two zones' locks at a time,
// but for lock_all(), which takes them by ascending id.
//
// Contract edges follow Linux 6.1 (Documentation/core-api/mm-api.rst, memory-allocation.rst).

#include <span>

#include "check/fault_injection.h"
#include "frame/memblock.h"
#include "frame/page_map.h"
#include "map/kmap.h"
#include "sync/report.h"
#include "zone/fresh_frames.h"
#include "zone/pressure.h"
#include "zone/zone.h"

namespace quarry {

struct PageAllocatorOptions {
  FaultParameters fail_page_alloc;
  uint64_t seed = 0;
};

struct AllocRequest;

class PageAllocator {
 public:
  static constexpr unsigned kMaxNodes = 32;

  constexpr PageAllocator() = default;
  PageAllocator(const PageAllocator&) = delete;
  PageAllocator& operator=(const PageAllocator&) = delete;

  // --- Life ---

  // Builds nodes, zones and zonelists for the memory of boot.memblock(), from `boot`. `map` is
  // booted and copied. Afterwards there are zones without free pages. False, after a report: the
  // machine is too small or makes no sense. The platform must outlive the allocator.
  bool boot(Platform& platform, const PageMap& map, BootMemory& boot,
            const PageAllocatorOptions& options);
  // Gives all memory that is not reserved by now to the zones and sets the watermarks; once.
  void hand_over(const Memblock& memblock);
  // How pages above the direct map are cleared. Before the first of them is asked for zeroed.
  void set_kmap(KmapOf<Arch>& kmap) { kmap_ = &kmap; }
  // Null: nothing to reclaim. While nobody allocates.
  void set_pressure_handler(PressureHandler* handler) { pressure_ = handler; }

  // Orders that do not fit their type are as impossible as the smallest impossible one.
  static constexpr Order order_of(unsigned order) {
    return order <= kMaxOrder.value() ? Order(order) : kMaxOrder + 1;
  }

  // --- Allocating. Any context but NMI; only requests with kDirectReclaim may sleep. ---

  // First page of a new block, with one reference. Null: out of memory, or the order is above
  // kMaxOrder, which is reported unless __GFP_NOWARN is set. `node`: preferred, kNoNode: local.
  // Contents are undefined without __GFP_ZERO. With __GFP_COMP and order > 0 the block is compound.
  // `place`: whom reports name; 0: the caller, here and below.
  Page* alloc(Gfp gfp, Order order, NodeId node = kNoNode, uintptr_t place = 0);
  // The same with the fast path inlined (page_fast_paths.h): `place` is a function that finds it.
  template <class Place>
  Page* alloc_inline(Gfp gfp, unsigned order, NodeId node, Place place);
  // As many pages as hold `bytes`, contiguous in the direct map; pages beyond them are freed at
  // once. __GFP_COMP and __GFP_HIGHMEM are reported once and ignored. Null as for alloc().
  void* alloc_exact(size_t bytes, Gfp gfp, NodeId node = kNoNode, uintptr_t place = 0);
  // Fills the null elements with single pages as far as the low marks of the local node allow, at
  // least one if alloc() could serve it. How many elements, from the front, are filled then.
  size_t alloc_bulk(Gfp gfp, NodeId node, std::span<Page*> pages, uintptr_t place = 0);

  // --- References and freeing. Any context but NMI. ---

  // Drops the reference that alloc() gave; with the last one the block is free. Of a block that is
  // not compound and has further references all pages but the first are freed now, the first by
  // the last put(). A page that is not allocated is reported, and leaked.
  void free(Page* page, Order order);
  void free_inline(Page* page, unsigned order);
  // `address` from alloc_exact() with the same `bytes`. One that is not directly mapped is
  // reported.
  void free_exact(void* address, size_t bytes, uintptr_t place = 0);
  // One more reference, to the whole block if `page` is part of a compound one.
  void get(Page* page);
  // Drops a reference; the last one frees the block, or the single page if it is not compound.
  void put(Page* page);
  // Makes 1 << order single pages, each with one reference, of an allocated block that is not
  // compound. QUARRY_CHECKs that.
  void split(Page* page, Order order);

  // --- The machine ---

  PageMap& map() { return map_; }
  const PageMap& map() const { return map_; }
  Platform& platform() const { return *platform_; }
  // Shared by the rooms above.
  Reporter& reporter() { return reporter_; }
  FaultInjector& fault_injector() { return fault_; }
  const FaultInjector& fault_injector() const { return fault_; }
  // Replaces fail_page_alloc's parameters and turns the CPU stacks off or on accordingly.
  void set_fault_parameters(const FaultParameters& parameters);

  // Pages are zero when they are given out, or from their free on. The CPU stacks are off then.
  void set_zeroing(bool on_alloc, bool on_free);

  unsigned cpu_count() const { return cpu_count_; }
  unsigned node_count() const { return node_count_; }
  // `id` below node_count(); a node may have no memory.
  Node& node(NodeId id) const { return nodes_[id.value()]; }
  // Nearest node with memory to the CPU the caller runs on; may be stale at once.
  NodeId local_node() const { return node_count_ == 1 ? NodeId(0) : local_node_of_many(); }
  NodeId node_of_cpu(CpuId cpu) const { return NodeId(home_[cpu.value()]); }
  // Requires map().valid(pfn).
  Zone& zone_of(Pfn pfn) const { return zones_[map_.pageblock(pfn).zone_id]; }
  unsigned node_of(Pfn pfn) const { return static_cast<unsigned>(zone_of(pfn).node.value()); }
  // By node, then by type; unpopulated ones included. The index is Zone::id.
  std::span<Zone> zones() const { return {zones_, size_t{node_count_} * kZoneTypes}; }

  // --- Numbers and upkeep ---

  // Frames of all zones: handed over, and free now (free lists and CPU stacks).
  uint64_t managed_pages() const;
  uint64_t free_pages() const;
  // Moves the blocks of all CPUs' stacks, or of the stacks of the CPU the caller runs on, to the
  // free lists.
  void drain_all();
  void drain_local();
  // False: an invariant is broken, and `sink` (unless null) says which. No call may be under way.
  bool validate(TextSink* sink) const;
  // "Mem-Info:": what each zone has, in the kernel's words.
  void show_memory(TextSink& out) const;

  // All locks of this room, for a port that stops the world.
  void lock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS;
  void unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS;

 private:
  friend class SlowPath;

  // Where the fast path takes a request, by its zone and mobility bits: what it compares, and where
  // the stacks of each order lie. Closed where the slow path has to decide, for contradicting bits
  // and where the first zone is another node's: then no mark is ever met.
  struct alignas(32) Route {
    const BuddyCounters* free;
    const std::atomic<long>* mark;
    uint32_t stack_offset[kSmallPcpOrders];
  };
  static constexpr size_t kRoutes = 32;
  struct RouteTable {
    Route route[kRoutes];
    uint32_t huge_stack_offset[kRoutes];
  };

  const RouteTable& routes_for(NodeId node) const {
    const RouteTable* table = shared_routes_;
    if (node != kNoNode) [[unlikely]]
      table = routes_of_node(node);
    if (table == nullptr) [[unlikely]]
      table = routes_of_cpu();
    return *table;
  }
  const RouteTable* routes_of_cpu() const {
    return route_tables_ + (Arch::cpu_id() + 1) * route_step_;
  }
  const RouteTable* routes_of_node(NodeId node) const {
    const auto n = static_cast<unsigned>(node.value());
    return n < node_count_ ? route_tables_ + 1 + cpu_count_ + n : route_tables_;
  }

  // boot.cc, zonelist.cc
  bool count_machine(const Memblock& memblock);
  bool build_nodes(BootMemory& boot);
  bool build_cpus(BootMemory& boot);
  void assign_pageblocks(const Memblock& memblock);
  void size_zones(const Memblock& memblock);
  int next_node(const Node& node, uint32_t used, const uint32_t* load) const;
  bool build_zonelists(BootMemory& boot);
  bool build_stacks(BootMemory& boot);
  bool build_routes(BootMemory& boot);
  void fill_routes(RouteTable& table, NodeId id) const;
  template <class Visit>
  void for_each_free_part(const Memblock& memblock, Visit&& visit);
  void mark_reserved(Pfn begin, Pfn end);
  void set_marks();
  uint32_t pcp_high_of(const Zone& zone) const;

  // alloc.cc
  Page* alloc_beyond_stacks(Gfp gfp, unsigned order, NodeId node, uintptr_t place);
  Page* alloc_huge(Gfp gfp, NodeId node, uintptr_t place);
  Page* alloc_slow(Gfp gfp, Order order, NodeId node, uintptr_t place);
  bool prepare(AllocRequest& request, Gfp gfp, Order order, NodeId node, uintptr_t place);
  bool avoids_fragments(const Zone* preferred) const;
  Page* from_zones(AllocRequest& request);
  Page* from_zone(Zone& zone, const AllocRequest& request);
  Page* from_stack(Zone& zone, const AllocRequest& request);
  Page* refill_stack(Zone& zone, const AllocRequest& request, CpuArrays& stack);
  Page* from_buddy(Zone& zone, const AllocRequest& request);
  Zone* zone_for_bulk(const AllocRequest& request, size_t count) const;
  Page* finish(Page* page, Gfp gfp, Order order);
  void clear(Page* page, Order order);
  void make_compound(Page* page, Order order);
  // Without background reclaim nobody would take a boost back.
  bool boosts() const { return pressure_ != nullptr; }

  // alloc_slow.cc
  Page* alloc_under_pressure(AllocRequest& request, uintptr_t place);
  void report_failure(const AllocRequest& request);

  // free.cc
  static void mark_in_stack(Page& page, Order order);
  // A block has just been taken from the free lists of its zone, whose lock is held.
  void leave_buddy_locked(Page& page, Order order);
  void free_block(Page* page, Order order);
  void free_block_fast(Page* page, unsigned order);
  void free_shared(Page* page, Order order);
  void free_block_slow(Page* page, Order order);
  void free_to_stack(Zone& zone, Page* page, Order order, MigrateType type);
  void free_to_zone(Zone& zone, std::span<void* const> blocks, Order order);
  bool dissolve_compound(Page* page, Order order);
  void report_bad_page(const Page* page, const char* reason);

  // upkeep.cc
  NodeId local_node_of_many() const;
  // A zone's frames, by what their descriptors say.
  struct Census {
    uint64_t managed;
    uint64_t free;
    uint64_t stacked;
  };
  bool has_zone(ZoneType type) const;
  void empty_stacks();
  bool validate_zone(const Zone& zone, TextSink& out) const;
  Census count_pages(const Zone& zone) const;

  // The part that each allocation and free reads comes first.
  PageMap map_;  // a copy, which saves the fast paths a load
  quarry_arrays stacks_{};
  Zone* zones_ = nullptr;
  // A closed one, then one for each CPU, then one for each node. As with arrays, a step of 0 sends
  // every CPU to the closed one where the machine's CPUs are not those that the core runs on.
  const RouteTable* route_tables_ = nullptr;
  ptrdiff_t route_step_ = 0;
  const RouteTable* shared_routes_ = nullptr;  // where there is one node: that of all CPUs
  uint16_t* home_ = nullptr;                   // by CPU: nearest node with memory
  unsigned cpu_count_ = 0;
  unsigned node_count_ = 0;

  Node* nodes_ = nullptr;
  Platform* platform_ = nullptr;
  PressureHandler* pressure_ = nullptr;
  KmapOf<Arch>* kmap_ = nullptr;
  SpinLock* cpu_locks_ = nullptr;
  CpuArrayTable stack_table_;
  SpinLock drain_lock_{LockRank::kPageCpu};  // lockless mode: one drain at a time
  unsigned long lock_all_irq_state_ = 0;     // guarded by all locks
  bool wants_stacks() const { return !fault_.active() && !zero_on_alloc_ && !zero_on_free_; }

  FreshFrames fresh_;
  Reporter reporter_;
  FaultInjector fault_;
  bool zero_on_alloc_ = false;
  bool zero_on_free_ = false;
  RateLimit bad_page_limit_{60'000'000'000, 60};
  RateLimit failure_limit_{10'000'000'000, 1};
};

}  // namespace quarry
