// SPDX-License-Identifier: MIT
// One event of a `kmtrace 1` trace, as the reader hands it out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quarry::tool {

// The only page size that a trace of this format can have.
inline constexpr uint64_t kPageBytes = 4096;

// Event kinds, in the order in which reports list them.
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

// Which fields mean something depends on `op`; the others are left from an earlier event.
struct TraceEvent {
  uint64_t delta_ns;         // since the previous event
  uint64_t requested_bytes;  // kmalloc, per-CPU: as asked; area: with its guard page
  uint64_t granted_bytes;    // kmalloc: what Linux returned; per-CPU: over all CPUs
  uint64_t align_bytes;      // area, per-CPU
  uint64_t page;             // page block: number of its first page
  uint32_t slot;
  uint32_t other_slot;
  uint32_t site;
  uint32_t gfp;    // index into the header's gfp table
  uint32_t cache;  // index into the header's cache table
  uint16_t cpu;
  Op op;
  Context context;
  uint8_t order;
  uint8_t migrate_type;
  // kInferredFree, kInferredPageFree: why. kAreaAlloc: range. kUnknownFree: 'p', 'h', or 0.
  char detail;
};

}  // namespace quarry::tool
