// SPDX-License-Identifier: MIT
#pragma once

// What stands below the per-CPU arrays: how slabs are cut, listed and given back. An engine serves
// all caches of one system and keeps its state in KmemCache::engine_nodes and in the slabs' pages.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/text_sink.h"
#include "kmem/kmem_cache.h"

namespace quarry {

// Sums over all nodes of a cache.
struct SlabCounts {
  size_t slabs = 0;
  size_t pages = 0;
  size_t total_objects = 0;
  size_t free_in_partial = 0;  // free objects in slabs of the partial lists
  size_t partial_slabs = 0;
};

class SlabEngine {
 public:
  // Decides the shape fields of a cache whose object_size, align, flags and ctor are set, and
  // array_capacity. False: such objects cannot be made.
  virtual bool shape(KmemCache& cache, unsigned cpus) const = 0;

  // Bytes of state that a cache has on each node, and its start from zeroed memory.
  virtual size_t node_bytes() const = 0;
  virtual void init_node(void* state) const = 0;

  // Takes up to objects.size() objects, at least one, preferably from `node` (kNoNode: the caller's
  // own). With __GFP_THISNODE from no other. 0: out of memory. May sleep if gfp says so.
  virtual uint32_t alloc(KmemCache& cache, Gfp gfp, NodeId node, std::span<void*> objects) = 0;
  // Takes back objects of this cache. An object that is free already is reported and left alone.
  virtual void free(KmemCache& cache, std::span<void* const> objects) = 0;

  // Gives slabs without objects back to the page allocator.
  virtual void shrink(KmemCache& cache) = 0;
  virtual SlabCounts counts(const KmemCache& cache) const = 0;

  // Checks every list and slab of the cache; nobody may use it. False: broken, `out` says what.
  virtual bool validate(const KmemCache& cache, TextSink& out) const = 0;

  // All locks of the cache, for fork.
  virtual void lock_all(KmemCache& cache) = 0;
  virtual void unlock_all(KmemCache& cache) = 0;

 protected:
  ~SlabEngine() = default;
};

}  // namespace quarry
