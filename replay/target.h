// SPDX-License-Identifier: MIT
// What a trace is replayed on.
#pragma once

#include <quarry/memory_system.h>

#include "replay/event.h"
#include "replay/trace_tables.h"

namespace quarry::replay {

// The machine's number for a cache, small, the same in each of its slabs' pages.
using CacheId = uint16_t;
inline constexpr CacheId kNoCache = 0;  // memory that comes straight from pages

// Where an allocation lies, in terms that are the same on every machine.
struct Placement {
  uint64_t frame;   // page frame number
  uint32_t offset;  // bytes into the frame
  uint16_t node;
  CacheId cache;
};

// A freshly started machine with a memory system on it. Every call acts for the CPU and context
// that run_on() named last. Null means out of memory; freeing takes what the matching allocation
// returned, which was not null.
class Target {
 public:
  virtual void run_on(CpuId cpu, Context context) = 0;

  virtual void* kmalloc(size_t bytes, const TraceGfp& gfp) = 0;
  // Any object, of kmalloc (null cache) or of a cache.
  virtual void kfree(void* object, KmemCache* cache) = 0;

  // A cache with the traits of the trace's.
  virtual KmemCache* create_cache(const TraceCache& traits) = 0;
  virtual void* cache_alloc(KmemCache* cache, const TraceGfp& gfp) = 0;
  virtual void cache_free(KmemCache* cache, void* object) = 0;

  virtual Page* alloc_pages(Order order, const TraceGfp& gfp) = 0;
  virtual void free_pages(Page* block, Order order) = 0;
  // Makes a block into single pages, which are freed one by one. Requires that it was allocated
  // without __GFP_COMP.
  virtual void split_pages(Page* block, Order order) = 0;

  // The address of an area of `bytes`, without its guard page.
  virtual void* vmalloc(size_t bytes) = 0;
  virtual void vfree(void* area) = 0;
  // The same with no memory behind it.
  virtual void* reserve_area(size_t bytes, size_t align_bytes) = 0;
  virtual void release_area(void* area) = 0;

  virtual Placement object_placement(const void* object) const = 0;
  virtual Placement block_placement(const Page* block) const = 0;
  // Bytes from the start of the vmalloc area.
  virtual uint64_t area_offset(const void* area) const = 0;

  // Pages behind all slabs now. Cheap: asked after every allocation of an object.
  virtual uint64_t slab_pages() const = 0;
  // Empties the per-CPU page stacks; then every free block, list by list, in the order in which the
  // lists hand them out.
  virtual void for_each_free_block(void (*visit)(void* context, const FreeBlock& block),
                                   void* context) = 0;

 protected:
  ~Target() = default;
};

}  // namespace quarry::replay
