// SPDX-License-Identifier: MIT
#pragma once

// One cache of equal objects. The head (abi/kmem_cache.h) is what allocations read; the rest is
// written when the cache is made and constant until it is destroyed, but for the counters.
//
// An object is in exactly one place:
//   with a user,
//   in a per-CPU array of the cache, where it counts as taken from its slab,
//   in the free list of its slab.

#include <atomic>

#include "quarry/abi/kmem_cache.h"
#include "quarry/gfp.h"
#include "quarry/units.h"
#include "sync/cpu_arrays.h"

namespace quarry {

class Kmem;

// A name of a cache: the one it was made with, and those of caches that were merged into it.
struct CacheName {
  CacheName* next;
  char* text() { return reinterpret_cast<char*>(this + 1); }
};

// What a cache is made of (contracts: CacheOptions in quarry/memory_system.h).
struct CacheRequest {
  static constexpr uint32_t kNowhere = ~uint32_t{0};

  const char* name;
  size_t bytes;
  uint32_t align = 0;
  uint32_t flags = 0;
  void (*ctor)(void*) = nullptr;
  uint32_t user_offset = 0;
  uint32_t user_bytes = 0;
  uint32_t free_pointer = kNowhere;
};

class alignas(64) KmemCache : public ::kmem_cache {
 public:
  Kmem* owner = nullptr;
  const char* name = nullptr;  // the oldest of `names`, constant for the kmalloc caches
  void (*ctor)(void*) = nullptr;
  uint32_t user_offset = 0;  // of each object, what may be copied to and from user memory
  uint32_t user_bytes = 0;

  // Shape of a slab, decided by the engine.
  Gfp page_gfp{};             // added to every request for pages
  Order order{0};             // preferred
  Order min_order{0};         // under fragmentation
  uint16_t objects = 0;       // in a slab of the preferred order
  uintptr_t link_secret = 0;  // what free objects' links are mixed with; 0: nothing (free_links.h)
  uint32_t inuse_bytes = 0;   // of an object with its padding, without what the allocator added

  // Settings that may change while the cache is used.
  // How often, of 1024 times, objects of other nodes come before a new slab.
  std::atomic<uint32_t> remote_defrag{0};
  // Empty slabs are kept while fewer partial ones than this are there.
  std::atomic<size_t> min_partial{0};

  CpuArrays cpu_arrays;
  // Objects that each CPU can hold, and how many move between its array and the engine at a time:
  // none exactly if it can hold none. May change too.
  std::atomic<uint16_t> array_capacity{0};
  std::atomic<uint16_t> array_batch{0};
  bool flushes_oldest = false;   // a full array gives back what is there longest, not the topmost
  void* engine_state = nullptr;  // SlabEngine::state_bytes() of the engine's own

  void set_array_size(uint32_t capacity, uint32_t batch) {
    array_capacity.store(static_cast<uint16_t>(capacity), std::memory_order_relaxed);
    array_batch.store(static_cast<uint16_t>(capacity == 0 ? 0 : batch), std::memory_order_relaxed);
  }

  // Guarded by Kmem's list lock: the newest name, and how many caches this one is to its users.
  CacheName* names = nullptr;
  uint32_t users = 1;
  // Order of creation; guarded by Kmem's list lock.
  KmemCache* next = nullptr;
  KmemCache* previous = nullptr;

  // Statistics of slow paths, relaxed.
  std::atomic<size_t> hits{0};
  std::atomic<size_t> refills{0};
  std::atomic<size_t> flushes{0};
  // Reports and repairs of the engine's debugging.
  std::atomic<size_t> errors{0};

  bool in_use() const { return name != nullptr; }
};

}  // namespace quarry
