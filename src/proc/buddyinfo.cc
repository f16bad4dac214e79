// SPDX-License-Identifier: MIT

#include "proc/proc.h"

namespace quarry {

void write_buddyinfo(TextSink& out, const PageAllocator& pages) {
  for (const Zone& zone : pages.zones()) {
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
