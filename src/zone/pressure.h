// SPDX-License-Identifier: MIT
#pragma once

// What the page allocator asks for when memory runs short. The rooms above implement it; a page
// allocator without a handler has nothing to reclaim, and then its slow path ends where Linux's
// would after reclaim made no progress.

#include <cstddef>

#include "gfp/zone_table.h"
#include "quarry/units.h"

namespace quarry {

struct Zone;
struct ZoneList;

// How hard compaction is to try; retries go downwards.
enum class CompactPriority : uint8_t { kSyncFull, kSyncLight, kAsync };

enum class CompactResult : uint8_t {
  kSkipped,   // not enough free frames to work with
  kDeferred,  // failed too often lately
  kFailed,    // ran and made no block
  kSuccess,   // a block may be there now
};

// Methods are called without locks held. Those that take a while are called only for requests that
// may sleep; wake_background_reclaim() may be called in any context.
class PressureHandler {
 public:
  // Zones of `zones` up to `highest` are below their low mark.
  virtual void wake_background_reclaim(Gfp gfp, Order order, const ZoneList& zones,
                                       ZoneType highest) = 0;
  // Frees pages on the caller's behalf; how many.
  virtual size_t reclaim(Gfp gfp, Order order, const ZoneList& zones, ZoneType highest) = 0;
  // Pages of a zone that reclaim could free.
  virtual size_t reclaimable_pages(const Zone& zone) = 0;
  virtual CompactResult compact(Gfp gfp, Order order, const ZoneList& zones, ZoneType highest,
                                CompactPriority priority) = 0;
  // True: something was or will be freed, and another attempt is worth while.
  virtual bool out_of_memory(Gfp gfp, Order order) = 0;

 protected:
  ~PressureHandler() = default;
};

}  // namespace quarry
