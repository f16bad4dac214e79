// SPDX-License-Identifier: MIT
// One step of a recorded trace, as a player takes it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quarry::replay {

// The only page size that a trace can have.
inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint8_t kOrderEnd = 11;

// Kinds of events, in the order in which reports list them and by the numbers that a packed trace
// has for them.
enum class Op : uint8_t {
  kKmalloc,
  kKfree,
  kCacheAlloc,
  kCacheFree,
  kInferredFree,  // of an object whose real free has no event
  kPageAlloc,
  kPageFree,
  kInferredPageFree,
  kPageSplit,  // a block becomes two halves; `slot` keeps the lower, `other_slot` is the upper
  kAreaAlloc,
  kAreaFree,
  kAreaPurge,  // Linux unmapped lazily freed areas: information
  kPercpuAlloc,
  kPercpuFree,
  kUnknownFree,  // of something whose allocation is not in the trace: not replayed
  kMark,         // a comment: where the workload begins and ends
};
inline constexpr size_t kOpCount = 16;

// What the CPU was doing when the event happened.
enum class Context : uint8_t { kTask, kSoftirq, kHardirq, kNmi };
inline constexpr size_t kContextCount = 4;

// Who made an allocation, by the call site's class in the trace. The first letter of the class's
// name says what is allocated there: objects (no capital), page blocks (P), address areas (V).
enum class SiteClass : uint8_t {
  kObjectUser,        // u
  kObjectAllocator,   // s
  kObjectVmalloc,     // v
  kObjectPercpu,      // c
  kPageUser,          // Pu
  kPageUnknown,       // P? or ?: no stack
  kPageSlab,          // Ps
  kPageLargeKmalloc,  // Pl
  kPageVmalloc,       // Pv
  kPagePercpu,        // Pc
  kAreaVmalloc,       // Vm
  kAreaVmap,          // Vp
  kAreaIoremap,       // Vi
  kAreaVmRam,         // Vr
  kAreaOther,         // Vu
};

constexpr bool is_page_site(SiteClass site) {
  return site >= SiteClass::kPageUser && site <= SiteClass::kPagePercpu;
}
constexpr bool is_area_site(SiteClass site) {
  return site >= SiteClass::kAreaVmalloc && site <= SiteClass::kAreaOther;
}

// Pages that Linux's own allocators took to serve other events. A replay makes its own.
constexpr bool is_backing_site(SiteClass site) {
  return site >= SiteClass::kPageSlab && site <= SiteClass::kPagePercpu;
}

// Which members mean something depends on `op`; the others are left from an earlier event.
struct Event {
  uint64_t requested_bytes;  // kmalloc: as asked; area: with its guard page
  uint64_t granted_bytes;    // kmalloc: what Linux returned; per-CPU: over all CPUs
  uint64_t align_bytes;      // area
  uint32_t slot;
  uint32_t other_slot;
  uint32_t gfp;    // index into the trace's table of gfp masks
  uint32_t cache;  // index into the trace's table of caches
  uint16_t cpu;
  Op op;
  Context context;
  SiteClass site;  // page block, area
  uint8_t order;
  char detail;  // kUnknownFree: 'p' allocated before the trace, 'h' by a hidden call, 0 either
};

}  // namespace quarry::replay
