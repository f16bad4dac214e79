// SPDX-License-Identifier: MIT
// What a replay counts, in plain numbers.
#pragma once

#include "replay/event.h"

namespace quarry::replay {

// An amount that goes up and down, and the most that it was.
struct Level {
  uint64_t now = 0;
  uint64_t peak = 0;

  void add(uint64_t amount) {
    now += amount;
    if (now > peak) peak = now;
  }
  void remove(uint64_t amount) { now -= amount; }
};

// Allocations of one kind: live == allocations - frees - inferred_frees,
// and of page blocks one more for each that was split.
struct KindCounts {
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t inferred_frees = 0;
  uint64_t failed = 0;  // allocations that Linux got and this machine did not
  uint64_t live = 0;

  void add() { ++allocations, ++live; }
  void remove(bool inferred) { ++(inferred ? inferred_frees : frees), --live; }
};

// Frees of something whose allocation is not in the trace. None is replayed.
struct UnmatchedFrees {
  uint64_t before_trace = 0;       // allocated before the recording began
  uint64_t hidden_allocation = 0;  // allocated by a call that Linux has no event for
  uint64_t unexplained = 0;        // areas and per-CPU memory: one of these two
  uint64_t dead_slots = 0;         // the trace frees a slot that is not live

  uint64_t total() const { return before_trace + hidden_allocation + unexplained + dead_slots; }
};

// The largest object that comes from slabs; larger ones are whole pages.
inline constexpr uint32_t kMaxSlabObjectBytes = 8192;

// What the traced callers hold in objects, by the sizes that Linux recorded: the same whatever
// allocator the trace is replayed through.
struct LiveBytes {
  Level objects;    // of all sizes, their number
  Level slab;       // granted bytes of those of at most kMaxSlabObjectBytes
  Level requested;  // what was asked for of `slab`
  Level large;      // granted bytes of the others

  void add(uint32_t requested_bytes, uint32_t granted_bytes) {
    objects.add(1);
    if (granted_bytes > kMaxSlabObjectBytes) {
      large.add(granted_bytes);
    } else {
      slab.add(granted_bytes);
      requested.add(requested_bytes);
    }
  }

  void remove(uint32_t requested_bytes, uint32_t granted_bytes) {
    objects.remove(1);
    if (granted_bytes > kMaxSlabObjectBytes) {
      large.remove(granted_bytes);
    } else {
      slab.remove(granted_bytes);
      requested.remove(requested_bytes);
    }
  }
};

// The pages that Linux itself held while the trace was recorded, by what they were for: the sum
// over the live page blocks of a class, followed event by event.
//
// Of slabs this is a net figure. Linux's caches had free slots left when the recording began, and
// what went into those took no page of the trace.
class LinuxFootprint {
 public:
  void add(SiteClass site, uint64_t pages) { pages_[index(site)].add(pages); }
  void remove(SiteClass site, uint64_t pages) { pages_[index(site)].remove(pages); }

  const Level& pages(SiteClass site) const { return pages_[index(site)]; }

 private:
  static constexpr auto kFirst = static_cast<size_t>(SiteClass::kPageUser);
  static constexpr auto kClasses = static_cast<size_t>(SiteClass::kPagePercpu) - kFirst + 1;

  static constexpr size_t index(SiteClass site) { return static_cast<size_t>(site) - kFirst; }

  Level pages_[kClasses];
};

struct Counts {
  uint64_t events = 0;
  uint64_t events_by_op[kOpCount] = {};
  uint64_t events_by_context[kContextCount] = {};

  KindCounts kmalloc;        // objects of kmalloc
  KindCounts cache_objects;  // objects of named caches
  KindCounts blocks;         // replayed page blocks
  KindCounts backing;        // page blocks of Linux's own allocators: followed, not replayed
  KindCounts vmalloc;
  KindCounts ranges;  // address ranges without memory
  KindCounts percpu;  // counted, not replayed
  UnmatchedFrees unmatched;

  LiveBytes live;
  Level block_pages;    // in replayed page blocks
  Level vmalloc_bytes;  // without guard pages
  Level percpu_bytes;
  LinuxFootprint linux_pages;
  uint64_t peak_slab_pages = 0;

  uint64_t failed_allocations() const {
    return kmalloc.failed + cache_objects.failed + blocks.failed + vmalloc.failed + ranges.failed;
  }
};

}  // namespace quarry::replay
