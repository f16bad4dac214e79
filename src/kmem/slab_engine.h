// SPDX-License-Identifier: MIT
#pragma once

// What stands below the per-CPU arrays: how slabs are cut, listed and given back. An engine serves
// all caches of one system and keeps its state in KmemCache::engine_state and in the slabs' pages.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/text_sink.h"
#include "check/track.h"
#include "frame/page.h"
#include "kmem/kmem_cache.h"
#include "sync/rcu.h"

namespace quarry {

// Of a cache, on one node or on all.
struct SlabCounts {
  size_t slabs = 0;
  size_t pages = 0;
  size_t total_objects = 0;
  size_t free_in_partial = 0;  // free objects in slabs of the partial lists
  size_t partial_slabs = 0;
  size_t free_slabs = 0;  // kept although nothing of them is taken, where those are counted
  // Free objects that count as taken: in arrays of the engine's own, of nodes and pairs of nodes.
  size_t shared_objects = 0;
  size_t alien_objects = 0;

  SlabCounts& operator+=(const SlabCounts& other) {
    slabs += other.slabs;
    pages += other.pages;
    total_objects += other.total_objects;
    free_in_partial += other.free_in_partial;
    partial_slabs += other.partial_slabs;
    free_slabs += other.free_slabs;
    shared_objects += other.shared_objects;
    alien_objects += other.alien_objects;
    return *this;
  }
};

// A check of all slabs of a cache.
struct SlabCheck {
  size_t slabs = 0;   // looked at
  size_t errors = 0;  // reports, and repairs ("FIX")
};

enum class TrackKind : uint8_t { kAlloc, kFree };

struct Origin {
  uintptr_t place = 0;  // in the function that called the allocator; 0: nobody is known
  Backtrace backtrace{};
};

// What somebody asks an engine for.
struct ObjectRequest {
  Gfp gfp{};
  NodeId node = kNoNode;  // preferred; kNoNode: the caller's own. With __GFP_THISNODE no other
  uintptr_t place = 0;    // whom reports and tracks name
  size_t bytes = 0;       // what kmalloc was asked for; 0: whole objects of the cache
};

// The numbers that /proc/slabinfo shows behind "tunables", and takes when it is written.
struct SlabTunables {
  uint32_t limit = 0;       // objects of a CPU's array
  uint32_t batchcount = 0;  // moved at a time
  uint32_t shared = 0;      // batches of a node's shared array
};

// What an engine that needs no caches of size classes has beside the rest: it serves kmalloc by
// itself, from pages of no cache (page::cache is 0). Kmem checks contexts, injects faults and has
// requests above the largest size class.
class KmallocEngine {
 public:
  // `request.bytes` is at least 1. Cleared if the request says so. Null: out of memory.
  virtual void* kmalloc(const ObjectRequest& request) = 0;
  // False: that is no object of kmalloc(), nothing was done.
  virtual bool kfree(Page& page, const void* object) = 0;
  // As SlabEngine::usable_bytes(); 0: no object of kmalloc().
  virtual size_t kmalloc_usable(const Page& page, const void* object) const = 0;
  // What kmalloc_usable() will say of an object of so many bytes.
  virtual size_t size_roundup(size_t bytes) const = 0;

  // As in SlabEngine, for what all objects share.
  virtual bool validate_all(TextSink& out) const = 0;
  virtual void lock_all() = 0;
  virtual void unlock_all() = 0;

 protected:
  ~KmallocEngine() = default;
};

class SlabEngine {
 public:
  // Null: kmalloc is served from caches of size classes. Else there are none, no cache has per-CPU
  // arrays or engine_state, and validate(), lock_all(KmemCache&) and the like have nothing to do.
  virtual KmallocEngine* kmalloc_engine() { return nullptr; }

  // The flags of a cache that is made with these: with what the engine's parameters add.
  virtual uint32_t flags_of(const char* /*name*/, uint32_t flags) const { return flags; }
  // Decides the shape fields of a cache whose object_size, align, flags and ctor are set, with the
  // size of its arrays. False: such objects cannot be made.
  virtual bool shape(KmemCache& cache, unsigned cpus) const = 0;

  // The smallest size class that has caches of its own.
  virtual unsigned min_kmalloc_class() const { return 0; }

  // Bytes of KmemCache::engine_state, and its start from zeroed memory, after shape().
  virtual size_t state_bytes(unsigned nodes) const = 0;
  virtual void init_state(KmemCache& cache) const = 0;

  // Whether objects of that size and alignment may share the slabs of a cache whose flags allow it:
  // a multiple of the alignment apart, without waste of a word.
  virtual bool can_merge(const KmemCache& cache, uint32_t size, uint32_t align) const {
    return cache.size >= size && cache.size - size < sizeof(void*) &&
           (cache.size & (align - 1)) == 0;
  }
  // Objects of a slab, by its first page; 0: pages are no slabs.
  virtual uint32_t slab_objects(const KmemCache&, const Page& slab) const { return slab.objects; }
  // Where in its slab the object begins that the byte at `offset` of the slab belongs to.
  virtual size_t object_offset(const KmemCache& cache, const Page& /*slab*/, size_t offset) const {
    return offset - offset % cache.size;
  }

  // Takes up to objects.size() objects, at least one. 0: out of memory. May sleep if gfp says so.
  virtual uint32_t alloc(KmemCache& cache, const ObjectRequest& request,
                         std::span<void*> objects) = 0;
  // Takes back objects of this cache. An object that is free already is reported and left alone.
  virtual void free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) = 0;

  // Bytes of an object in use that its user may touch (ksize).
  virtual size_t usable_bytes(const KmemCache& cache, const void* object) const = 0;

  // What kmalloc was asked for, where that is kept; else 0. Setting it makes the bytes behind it
  // out of bounds.
  virtual size_t asked_bytes(const KmemCache&, const void* /*object*/) const { return 0; }
  virtual void set_asked_bytes(const KmemCache&, void* /*object*/, size_t /*bytes*/) {}

  // Gives slabs without objects back to the page allocator.
  virtual void shrink(KmemCache& cache) = 0;
  // How often reap() is to be called for each CPU; 0: never.
  virtual uint64_t reap_interval_ns() const { return 0; }
  // By whoever runs, on behalf of a CPU: gives back what lies idle.
  virtual void reap(KmemCache&, CpuId) {}
  // Zeros where an engine has none.
  virtual bool has_tunables() const { return false; }
  virtual SlabTunables tunables(const KmemCache&) const { return {}; }
  // While the arrays of all CPUs are off and empty. Requires 0 < batchcount <= limit. False: there
  // is no room for such arrays, and nothing changed.
  virtual bool set_tunables(KmemCache&, const SlabTunables&) { return false; }

  virtual SlabCounts node_counts(const KmemCache& cache, NodeId node) const = 0;
  // Objects that are taken from slabs of the node's partial list, where there is one.
  virtual size_t taken_from_partial(const KmemCache&, NodeId) const { return 0; }

  // Checks every list and slab of the cache; nobody may use it. False: broken, `out` says what.
  virtual bool validate(const KmemCache& cache, TextSink& out) const = 0;

  // The same as far as users of objects may have broken something: reports and repairs it, while
  // others go on.
  virtual SlabCheck check(KmemCache&) { return {}; }
  // Reports the objects of a cache that should have none.
  virtual void report_leftovers(KmemCache&) {}
  // Objects in use by who allocated them, or freed them before, as debugfs shows it. False: there
  // are no such records, or no memory to sort them.
  virtual bool write_traces(KmemCache&, TrackKind, TextSink&) { return false; }
  // Who allocated, or who freed, the object; nobody if that is not recorded.
  virtual Origin origin(KmemCache&, void* /*object*/, TrackKind) { return {}; }
  // Both, as reports show it.
  virtual void show_tracks(KmemCache&, void* /*object*/, TextSink&) {}

  // Of an engine that called Kmem::call_engine_after_grace_period(): it is over. Softirq context.
  virtual void grace_period_over(RcuHead& /*head*/) {}

  // All locks of the cache, for fork.
  virtual void lock_all(KmemCache& cache) = 0;
  virtual void unlock_all(KmemCache& cache) = 0;

 protected:
  ~SlabEngine() = default;
};

}  // namespace quarry
