// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// The order of the core's locks, outermost first. A thread takes a lock only if its rank is
// greater than the rank of every lock it holds. Two locks of one rank are held together only
// where an order among them is written down. sync checks this in debug builds.
enum class LockRank : uint8_t {
  kNone,       // no lock: the rank of a thread that holds nothing
  kReap,       // the timed reaping of caches, as a whole
  kCacheList,  // the list of all kmem_caches
  kCache,      // one kmem_cache: its life and its settings
  kSlabNode,   // one cache's slabs on one node
  kCpuArrays,  // one CPU's object arrays, where they stand behind a lock
  kVmalloc,    // the range trees of a vmalloc space
  kPageCpu,    // one CPU's page stacks of a zone
  kZone,       // a zone's free lists
  kMap,        // page tables
  kPort,       // the port's own
  kLeaf,       // held over a few instructions, nothing is taken inside
};

}  // namespace quarry
