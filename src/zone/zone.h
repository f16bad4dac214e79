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
  // boost, lowmem_reserve and HIGHATOMIC pages; written under `lock` when one of these changes.
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
  Watermarks marks;  // boost and highatomic written under `lock`; read by watermark checks without

  bool populated() const { return present != 0; }
  const char* name() const { return kZoneNames[static_cast<unsigned>(type)]; }
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
};

}  // namespace quarry
