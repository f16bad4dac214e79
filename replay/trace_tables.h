// SPDX-License-Identifier: MIT
// What events refer to: the front of a trace. The records are those of a packed trace.
#pragma once

#include <quarry/gfp.h>
#include <quarry/units.h>

#include <cstdint>
#include <span>

namespace quarry::replay {

// Numbers of the four kinds of slots.
struct SlotCounts {
  uint32_t object = 0;
  uint32_t page = 0;
  uint32_t area = 0;
  uint32_t percpu = 0;
  bool operator==(const SlotCounts&) const = default;
};

struct TraceGfp {
  Gfp flags;
  NodeId node;  // kNoNode: no preference
  uint16_t reserved = 0;
};

struct TraceCache {
  uint32_t object_bytes;
  uint32_t slot_bytes;       // what one object took in Linux, padding included
  uint16_t align_bytes = 0;  // 0: unknown
  uint8_t reclaimable = 0;
  uint8_t typesafe_by_rcu = 0;
  uint8_t hwcache_align = 0;
  uint8_t has_ctor = 0;
  char name[114] = {};  // NUL-terminated
};

static_assert(sizeof(SlotCounts) == 16 && sizeof(TraceGfp) == 8 && sizeof(TraceCache) == 128);

struct TraceTables {
  uint32_t cpus = 0;
  uint64_t events = 0;
  SlotCounts slots{};
  bool has_live_end = false;
  SlotCounts live_end{};  // slots live after the last event
  std::span<const TraceGfp> gfps{};
  std::span<const TraceCache> caches{};
};

// How many CPUs, nodes, slots of a kind and caches a trace can have: keeps tables within what an
// ordinary machine holds.
inline constexpr uint32_t kMaxCpus = 1024;
inline constexpr uint32_t kMaxNodes = 1024;
inline constexpr uint32_t kMaxSlots = uint32_t{1} << 30;
inline constexpr uint32_t kMaxCaches = 0xfffe;
// The largest order-10 block: the most that one object of a cache can be.
inline constexpr uint32_t kMaxObjectBytes = uint32_t{4} << 20;

}  // namespace quarry::replay
