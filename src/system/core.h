// SPDX-License-Identifier: MIT
#pragma once

// A MemorySystem from the inside: the rooms, composed. It lies in the storage that the public class
// reserves, so that a system has a fixed address and its fast paths no indirection.

#include "kmem/kmem.h"
#include "kmem/slab/slab.h"
#include "kmem/slob/slob.h"
#include "kmem/slub/slub.h"
#include "map/address_space.h"
#include "quarry/memory_system.h"
#include "sync/rcu.h"
#include "system/rcu_frees.h"
#include "system/table_frames.h"
#include "vmalloc/vmalloc.h"
#include "zone/page_allocator.h"

namespace quarry {

struct Core {
  bool booted = false;
  SlabEngineKind engine{};
  PageMap map;
  PageAllocator pages;
  Kmem kmem;
  Slub slub;
  Slab slab;
  Slob slob;
  TableFrames table_frames;
  AddressSpace<Arch> space;
  Vmalloc vmalloc;
  RcuFrees rcu_frees;
  Rcu rcu;

  static Core& of(MemorySystem& system) { return *reinterpret_cast<Core*>(system.core_); }
  static const Core& of(const MemorySystem& system) {
    return *reinterpret_cast<const Core*>(system.core_);
  }
  static constexpr size_t storage_bytes() { return MemorySystem::kCoreBytes; }

  bool boot(Platform& platform, const Config& config);
  SlabEngine& start_engine(const Config& config, const Memblock& memblock);
  // Reaps the caches for all CPUs when it is time; after how many nanoseconds it will be.
  uint64_t reap_if_due();

  // Held while caches are reaped, and by who wants to see everything at rest.
  mutable SpinLock reap_lock{LockRank::kReap};
  uint64_t next_reap_ns QUARRY_GUARDED_BY(reap_lock) = 0;
  bool boot_rcu(BootMemory& boot_memory);
};

static_assert(sizeof(Core) <= Core::storage_bytes(), "MemorySystem::kCoreBytes is too small");

}  // namespace quarry
