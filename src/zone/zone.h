// SPDX-License-Identifier: MIT
#pragma once

// A zone: the frames of one node that one kind of request can use. A node: its zones, and the order
// in which its requests try the zones of the machine.

#include "sync/spinlock.h"
#include "zone/buddy.h"
#include "zone/page_stacks.h"
#include "zone/watermark.h"

namespace quarry {

struct Zone {
  // --- Read by every allocation ---

  BuddyCounters counters;  // written under `lock`
  // By the highest zone of the request: free_pages must be above it for the fast path. Low mark,
  // boost, lowmem_reserve, HIGHATOMIC pages, and what the largest block of a stack needs beyond
  // its first page; written under `lock` when one of these changes.
  std::atomic<long> fast_mark[kZoneTypes];
  PageStacks stacks;

  // --- Read at any time, written while booting ---

  NodeId node;
  ZoneType type;
  uint8_t id;  // index in PageAllocator's table; what Pageblock::zone_id holds
  Pfn start;   // spanned: [start, end), holes included
  Pfn end;
  uint64_t present;  // frames of memory
  uint64_t managed;  // handed over to the buddy system

  // --- Under the lock ---

  mutable SpinLock lock{LockRank::kZone};
  Buddy buddy QUARRY_GUARDED_BY(lock);
  Watermarks marks;  // boost and highatomic; the rest is written while booting
  std::atomic<bool> boosted;

  bool populated() const { return present != 0; }
  const char* name() const { return kZoneNames[static_cast<unsigned>(type)]; }
  long free_pages() const { return counters.free_pages.load(std::memory_order_relaxed); }
  bool above_mark(Order order, ZoneType highest, const AllocFlags& flags) const {
    return zone_watermark_ok(counters, marks, order, highest, flags);
  }
  // Pages a request may take before it meets its mark; what lies below zero is how far it is past
  // it.
  long pages_above_mark(ZoneType highest, const AllocFlags& flags) const;

  // Up to `most` adjacent blocks for a request of this type, from another type's blocks if need be.
  // `boost`: raise the marks when types come to mix in a pageblock. No blocks: the zone has none.
  BlockRun take_locked(Order order, MigrateType wanted, uint32_t most, const AllocFlags& flags,
                       bool boost) QUARRY_REQUIRES(lock);
  void free_locked(Page& page, Pfn pfn, Order order) QUARRY_REQUIRES(lock);

  // Keeps the pageblock of a block that was just allocated for atomic requests of higher order, up
  // to one per cent of the zone and one pageblock.
  void reserve_highatomic(Pfn pfn, Order order);
  // Gives a pageblock of these that has free pages to `to`; without `force` only while more than
  // one is kept. Whether pages came free.
  bool unreserve_highatomic(MigrateType to, bool force);

  void update_fast_marks();
  // Whether the boost was raised since the last call: then background reclaim is due.
  bool take_boosted() {
    return boosted.load(std::memory_order_relaxed) &&
           boosted.exchange(false, std::memory_order_relaxed);
  }

 private:
  void raise_boost() QUARRY_REQUIRES(lock);
  // Changes the pageblocks of a block, with the free blocks in them. Pages that moved.
  uint32_t change_pageblocks(Pfn pfn, Order order, MigrateType to) QUARRY_REQUIRES(lock);
};

// Zones in the order of trial: a node's own from its highest type down, then other nodes'.
struct ZoneList {
  Zone** zones;
  unsigned count;

  Zone* const* begin() const { return zones; }
  Zone* const* end() const { return zones + count; }
  // First zone that a request for `highest` may use; null: none.
  Zone* first(ZoneType highest) const {
    for (Zone* zone : *this) {
      if (zone->type <= highest) return zone;
    }
    return nullptr;
  }
};

struct Node {
  NodeId id;
  bool has_memory;
  NodeId nearest_memory;  // itself if it has memory (Linux: numa_mem_id)
  unsigned cpus;
  Zone* zones;        // kZoneTypes of them, by type
  ZoneList fallback;  // all nodes, nearest first
  ZoneList own;       // this node only: __GFP_THISNODE

  Zone& zone(ZoneType type) const { return zones[static_cast<unsigned>(type)]; }
  const ZoneList& zonelist(Gfp gfp) const { return any(gfp, gfp::kThisNode) ? own : fallback; }
};

}  // namespace quarry
