// SPDX-License-Identifier: MIT
// The tables at the front of a `kmtrace 1` trace.
#pragma once

#include <quarry/gfp.h>
#include <quarry/units.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quarry::tool {

class LineReader;

// Who made an allocation, by the call site's class. The first letter of the class's name says what
// is allocated there: objects (no capital), page blocks (P), address areas (V).
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
constexpr bool is_area_site(SiteClass site) { return site >= SiteClass::kAreaVmalloc; }

// Pages that Linux's own allocators took to serve other lines of the trace. A replay makes its own.
constexpr bool is_backing_site(SiteClass site) {
  return site >= SiteClass::kPageSlab && site <= SiteClass::kPagePercpu;
}

struct TraceGfp {
  Gfp flags;    // by the names: the numbering differs between versions
  NodeId node;  // kNoNode: no preference
};

struct TraceCache {
  std::string name;
  uint32_t object_bytes;
  uint32_t slot_bytes;   // what one object took in Linux, padding included
  uint32_t align_bytes;  // 0: unknown
  bool reclaimable;
  bool typesafe_by_rcu;
  bool hwcache_align;
  bool has_ctor;
};

// Numbers of the four kinds of slots.
struct SlotCounts {
  uint32_t object = 0;
  uint32_t page = 0;
  uint32_t area = 0;
  uint32_t percpu = 0;
  bool operator==(const SlotCounts&) const = default;
};

struct TraceHeader {
  std::string title;
  std::string source;
  unsigned cpus = 0;
  uint64_t events = 0;
  std::optional<uint64_t> duration_ns;
  SlotCounts slots;
  std::optional<SlotCounts> live_end;  // slots live after the last event
  std::vector<TraceGfp> gfps;
  std::vector<TraceCache> caches;
  std::vector<SiteClass> sites;
};

// Reads the header up to and with its `begin` line. Throws ToolError at the first line that is not
// as the format says.
TraceHeader read_trace_header(LineReader& lines);

}  // namespace quarry::tool
