// SPDX-License-Identifier: MIT
// One event of a `kmtrace 1` trace, as the reader hands it out.
#pragma once

#include "replay/event.h"

namespace quarry::tool {

using replay::Context;
using replay::is_area_site;
using replay::is_page_site;
using replay::kContextCount;
using replay::kOpCount;
using replay::kPageBytes;
using replay::Op;
using replay::SiteClass;

// `site` is filled in for allocations of page blocks and areas; requested_bytes and align_bytes
// also for per-CPU memory. `detail` is also why a free was inferred, and the range of an area.
struct TraceEvent : replay::Event {
  uint64_t delta_ns;  // since the previous event
  uint64_t page;      // page block: number of its first page
  uint32_t site_index;
  uint8_t migrate_type;
};

}  // namespace quarry::tool
