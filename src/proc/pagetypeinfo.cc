// SPDX-License-Identifier: MIT
#include "proc/proc.h"

namespace quarry {
namespace {

constexpr uint32_t kMostCounted = 100000;

void write_free_blocks(TextSink& out, const Zone& zone) {
  for (unsigned type = 0; type != kMigrateTypes; ++type) {
    format(out, "Node %4d, zone %8s, type %12s ", zone.node, zone.name(), kMigrateTypeNames[type]);
    for (Order order{0}; order <= kMaxOrder; ++order) {
      uint32_t count = 0;
      {
        LockGuard guard(zone.lock);
        count = zone.buddy.list(order, MigrateType(type)).count;
      }
      const bool more = count >= kMostCounted;
      format(out, "%s%6lu ", more ? ">" : "", more ? kMostCounted : count);
    }
    format(out, "\n");
  }
}

void write_pageblocks(TextSink& out, const PageAllocator& pages, const Zone& zone) {
  uint32_t count[kMigrateTypes] = {};
  const PageMap& map = pages.map();
  for (Pfn pfn = zone.start.align_down(Order(kPageblockOrder)); pfn < zone.end;
       pfn += kPageblockPages) {
    if (!map.valid(pfn) || &pages.zone_of(pfn) != &zone) continue;
    ++count[static_cast<unsigned>(map.migratetype(pfn))];
  }
  format(out, "Node %d, zone %8s ", zone.node, zone.name());
  for (const uint32_t blocks : count) format(out, "%12lu ", blocks);
  format(out, "\n");
}

void write_node(TextSink& out, const PageAllocator& pages, const Node& node) {
  format(out, "Page block order: %d\nPages per block:  %lu\n\n", kPageblockOrder, kPageblockPages);
  format(out, "%-43s ", "Free pages count per migrate type at order");
  for (unsigned order = 0; order != kOrderCount; ++order) format(out, "%6d ", order);
  format(out, "\n");
  const std::span<const Zone> zones(node.zones, kZoneTypes);
  for (const Zone& zone : zones) {
    if (zone.populated()) write_free_blocks(out, zone);
  }
  format(out, "\n%-23s", "Number of blocks type ");
  for (const char* type : kMigrateTypeNames) format(out, "%12s ", type);
  format(out, "\n");
  for (const Zone& zone : zones) {
    if (zone.populated()) write_pageblocks(out, pages, zone);
  }
}

}  // namespace

// Linux tells the size of pageblocks anew for each node, and says nothing of one without memory.
void write_pagetypeinfo(TextSink& out, const PageAllocator& pages) {
  for (unsigned n = 0; n != pages.node_count(); ++n) {
    const Node& node = pages.node(NodeId(n));
    if (node.has_memory) write_node(out, pages, node);
  }
}

}  // namespace quarry
