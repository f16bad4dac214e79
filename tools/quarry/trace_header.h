// SPDX-License-Identifier: MIT
// The tables at the front of a `kmtrace 1` trace.
#pragma once

#include "replay/trace_tables.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trace_events.h"

namespace quarry::tool {

class LineReader;

using replay::SlotCounts;
using replay::TraceCache;
using replay::TraceGfp;

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

// What a player needs of a header, which must outlive it.
replay::TraceTables tables_of(const TraceHeader& header);

// Reads the header up to and with its `begin` line. Throws ToolError at the first line that is not
// as the format says.
TraceHeader read_trace_header(LineReader& lines);

}  // namespace quarry::tool
