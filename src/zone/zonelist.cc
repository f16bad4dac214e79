// SPDX-License-Identifier: MIT
// In which order requests of a node try the zones of the machine (Linux: build_zonelists()).
#include "zone/page_allocator.h"

namespace quarry {

namespace {

// The populated zones of a node from its highest type down, behind what the list has already.
void append_zones(ZoneList& list, const Node& node) {
  for (unsigned type = kZoneTypes; type-- != 0;) {
    if (node.zones[type].populated()) list.zones[list.count++] = &node.zones[type];
  }
}

}  // namespace

// The node with memory that comes next after those in `used`: itself, then the nearest; among
// equals rather the following one, one without CPUs, and one that is not yet others' first choice.
// -1: all are used.
int PageAllocator::next_node(const Node& node, uint32_t used, const uint32_t* load) const {
  if (node.has_memory && (used >> node.id.value() & 1) == 0) return node.id.value();
  int best = -1;
  uint32_t best_distance = 0;
  for (unsigned n = 0; n != node_count_; ++n) {
    const Node& other = nodes_[n];
    if (!other.has_memory || (used >> n & 1) != 0) continue;
    uint32_t distance = platform_->node_distance(node.id, other.id);
    if (other.id < node.id) ++distance;
    if (other.cpus != 0) ++distance;
    distance = distance * kMaxNodes + load[n];
    if (best < 0 || distance < best_distance) {
      best = static_cast<int>(n);
      best_distance = distance;
    }
  }
  return best;
}

bool PageAllocator::build_zonelists(BootMemory& boot) {
  const size_t most = size_t{node_count_} * kZoneTypes;
  uint32_t load[kMaxNodes] = {};
  for (unsigned n = 0; n != node_count_; ++n) {
    Node& node = nodes_[n];
    node.fallback.zones = boot.alloc_array<Zone*>(most);
    node.own.zones = boot.alloc_array<Zone*>(kZoneTypes);
    if (node.fallback.zones == nullptr || node.own.zones == nullptr) return false;
    append_zones(node.own, node);
    uint32_t used = 0;
    NodeId previous = node.id;
    for (int next; (next = next_node(node, used, load)) >= 0;) {
      const NodeId id(next);
      // The first of a group at one distance gets less likely to be the first of the next node's.
      if (platform_->node_distance(node.id, id) != platform_->node_distance(node.id, previous)) {
        ++load[next];
      }
      if (used == 0) node.nearest_memory = id;
      used |= uint32_t{1} << next;
      previous = id;
      append_zones(node.fallback, nodes_[next]);
    }
  }
  for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) {
    const Node& node = nodes_[platform_->cpu_node(CpuId(cpu)).value()];
    home_[cpu] = static_cast<uint16_t>(node.nearest_memory.value());
  }
  return true;
}

}  // namespace quarry
