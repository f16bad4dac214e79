// SPDX-License-Identifier: MIT

#include "proc/proc.h"

namespace quarry {

void write_buddyinfo(TextSink& out, PageAllocator& pages) {
  for (unsigned id = 0; id != pages.zone_count(); ++id) {
    Zone& zone = pages.zone(id);
    if (!zone.populated()) continue;
    uint32_t blocks[kOrderCount];
    {
      LockGuard guard(zone.lock);
      for (unsigned order = 0; order != kOrderCount; ++order) {
        blocks[order] = zone.buddy.count(Order(order));
      }
    }
    format(out, "Node %d, zone %8s ", zone.node.value(), zone.name());
    for (const uint32_t count : blocks) format(out, "%6lu ", count);
    format(out, "\n");
  }
}

}  // namespace quarry
