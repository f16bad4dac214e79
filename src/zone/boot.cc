// SPDX-License-Identifier: MIT
// From a list of memory ranges to nodes and zones with free pages in them.
#include <limits>
#include <new>

#include "zone/page_allocator.h"

namespace quarry {

namespace {

constexpr uint64_t kDmaLimit = 16 * kMiB;  // what ISA devices can address

ZoneType zone_type_of(Pfn pfn) {
  const uint64_t address = uint64_t{pfn.value()} << kPageShift;
  if (address < kDmaLimit) return ZoneType::kDma;
  if (Arch::kDma32Limit != 0 && address < Arch::kDma32Limit) return ZoneType::kDma32;
  if (Arch::kHasHighmem && address >= Arch::kLowmemLimit) return ZoneType::kHighmem;
  return ZoneType::kNormal;
}

// The whole frames of a region.
Pfn first_frame(const MemoryRegion& region) {
  return Pfn((region.start + kPageBytes - 1) >> kPageShift);
}
Pfn end_frame(const MemoryRegion& region) {
  const uint64_t end = region.end >> kPageShift;
  return Pfn(end > UINT32_MAX ? uint64_t{UINT32_MAX} : end);
}

Pfn next_pageblock(Pfn pfn) { return pfn.align_down(Order(kPageblockOrder)) + kPageblockPages; }

// Calls `visit(pfn, end)` for the part of [begin, end) in each pageblock.
template <class Visit>
void for_each_pageblock(Pfn begin, Pfn end, Visit&& visit) {
  while (begin < end) {
    Pfn stop = next_pageblock(begin);
    // Frame numbers end below 2^32, where the last pageblock's end would wrap to 0.
    if (stop > end || stop < begin) stop = end;
    visit(begin, stop);
    begin = stop;
  }
}

// What a closed route shows: no memory, and a mark that no zone is above.
constexpr BuddyCounters kNothingFree;
constexpr std::atomic<long> kUnreachableMark{std::numeric_limits<long>::max()};

bool fail(Platform& platform, const char* why) {
  LogText out(platform);
  format(out, "page allocator: %s\n", why);
  return false;
}

}  // namespace

bool PageAllocator::boot(Platform& platform, const PageMap& map, BootMemory& boot,
                         const PageAllocatorOptions& options) {
  platform_ = &platform;
  map_ = map;
  reporter_.init(platform);
  fault_.init(reporter_, "fail_page_alloc", options.seed);
  const Memblock& memblock = boot.memblock();
  if (!count_machine(memblock)) return false;
  if (!build_nodes(boot) || !build_cpus(boot)) return fail(platform, "no memory for zones");
  if (!fresh_.init(boot, map_.end(), platform.memory_is_zeroed())) {
    return fail(platform, "no memory for the table of fresh frames");
  }
  assign_pageblocks(memblock);
  size_zones(memblock);
  if (!build_zonelists(boot)) return fail(platform, "no memory for zonelists");
  // What is free now is nearly what will be handed over: near enough for the sizes of the stacks.
  for_each_free_part(memblock, [](Zone& zone, Pfn begin, Pfn end) { zone.managed += end - begin; });
  set_marks();
  if (!build_stacks(boot) || !build_routes(boot)) return fail(platform, "no memory for CPU stacks");
  set_fault_parameters(options.fail_page_alloc);
  return true;
}

void PageAllocator::hand_over(const Memblock& memblock) {
  for (Zone& zone : zones()) zone.managed = 0;
  Pfn reserved = kNoPfn;
  for_each_free_part(memblock, [&](Zone& zone, Pfn begin, Pfn end) {
    mark_reserved(reserved, begin);
    reserved = end;
    LockGuard guard(zone.lock);
    zone.buddy.free_range(begin, end);
    zone.managed += end - begin;
  });
  mark_reserved(reserved, map_.end());
  set_marks();
}

// Nodes and CPUs there are. False, after a report: more than can be, or none.
bool PageAllocator::count_machine(const Memblock& memblock) {
  int highest = -1;
  for (const MemoryRegion& region : memblock.memory()) {
    if (region.node.value() < 0) return fail(*platform_, "memory without a node");
    if (region.node.value() > highest) highest = region.node.value();
  }
  if (highest < 0) return fail(*platform_, "no memory");
  cpu_count_ = platform_->cpu_count();
  if (cpu_count_ == 0 || cpu_count_ > UINT16_MAX) return fail(*platform_, "no CPU, or too many");
  for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) {
    const int node = platform_->cpu_node(CpuId(cpu)).value();
    if (node < 0) return fail(*platform_, "a CPU without a node");
    if (node > highest) highest = node;
  }
  if (static_cast<unsigned>(highest) >= kMaxNodes) return fail(*platform_, "too many nodes");
  node_count_ = static_cast<unsigned>(highest) + 1;
  return true;
}

bool PageAllocator::build_nodes(BootMemory& boot) {
  nodes_ = boot.alloc_array<Node>(node_count_);
  zones_ = boot.alloc_array<Zone>(size_t{node_count_} * kZoneTypes);
  if (nodes_ == nullptr || zones_ == nullptr) return false;
  for (unsigned n = 0; n != node_count_; ++n) {
    Node& node = nodes_[n];
    node.id = NodeId(n);
    node.zones = zones_ + size_t{n} * kZoneTypes;
    for (uint8_t type = 0; type != kZoneTypes; ++type) {
      Zone& zone = *new (&node.zones[type]) Zone();
      zone.node = node.id;
      zone.type = ZoneType(type);
      zone.id = static_cast<uint8_t>(n * kZoneTypes + type);
    }
  }
  return true;
}

bool PageAllocator::build_cpus(BootMemory& boot) {
  static_assert(kMaxNodes * kZoneTypes < kNoZone);
  cpu_locks_ = boot.alloc_array<SpinLock>(cpu_count_);
  home_ = boot.alloc_array<uint16_t>(cpu_count_);
  if (cpu_locks_ == nullptr || home_ == nullptr) return false;
  for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) {
    new (&cpu_locks_[cpu]) SpinLock(LockRank::kPageCpu);
    ++nodes_[platform_->cpu_node(CpuId(cpu)).value()].cpus;
  }
  return true;
}

// A pageblock has one zone. Where nodes meet inside a pageblock, it is the lower one's.
void PageAllocator::assign_pageblocks(const Memblock& memblock) {
  for (const MemoryRegion& region : memblock.memory()) {
    for_each_pageblock(first_frame(region), end_frame(region), [&](Pfn pfn, Pfn) {
      Pageblock& block = map_.pageblock(pfn);
      if (block.zone_id != kNoZone) return;
      block.zone_id = nodes_[region.node.value()].zone(zone_type_of(pfn)).id;
      map_.set_migratetype(pfn, MigrateType::kMovable);
    });
  }
}

void PageAllocator::size_zones(const Memblock& memblock) {
  for (const MemoryRegion& region : memblock.memory()) {
    for_each_pageblock(first_frame(region), end_frame(region), [&](Pfn pfn, Pfn end) {
      Zone& zone = zone_of(pfn);
      if (!zone.populated()) zone.start = pfn;
      zone.end = end;
      zone.present += end - pfn;
    });
  }
  for (Zone& zone : zones()) {
    LockGuard guard(zone.lock);
    zone.buddy.init(map_, zone.counters, zone.id, zone.start, zone.end);
    nodes_[zone.node.value()].has_memory |= zone.populated();
  }
}

// Calls `visit(Zone&, Pfn begin, Pfn end)` for free memory, ascending, split where the zone
// changes.
template <class Visit>
void PageAllocator::for_each_free_part(const Memblock& memblock, Visit&& visit) {
  memblock.for_each_free([&](const MemoryRegion& piece) {
    Pfn begin = first_frame(piece);
    const Pfn end = end_frame(piece);
    Pfn at = begin;
    for_each_pageblock(begin, end, [&](Pfn pfn, Pfn stop) {
      if (&zone_of(pfn) != &zone_of(begin)) {
        visit(zone_of(begin), begin, pfn);
        begin = pfn;
      }
      at = stop;
    });
    if (begin < at) visit(zone_of(begin), begin, at);
  });
}

// Frames of zones that are not the page allocator's: firmware, tables, holes.
void PageAllocator::mark_reserved(Pfn begin, Pfn end) {
  for_each_pageblock(begin, end, [this](Pfn pfn, Pfn stop) {
    if (!map_.valid(pfn)) return;
    for (; pfn != stop; ++pfn) write_flags(*map_.page(pfn), QUARRY_PAGE_RESERVED);
  });
}

void PageAllocator::set_marks() {
  uint64_t lowmem = 0;
  for (const Zone& zone : zones()) {
    if (zone.type < ZoneType::kHighmem) lowmem += zone.managed;
  }
  const uint32_t min_free_kb = min_free_kbytes(lowmem << (kPageShift - 10));
  for (unsigned n = 0; n != node_count_; ++n) {
    uint64_t managed[kZoneTypes];
    for (unsigned type = 0; type != kZoneTypes; ++type)
      managed[type] = nodes_[n].zones[type].managed;
    for (unsigned type = 0; type != kZoneTypes; ++type) {
      Zone& zone = nodes_[n].zones[type];
      set_watermarks(zone.marks, zone.managed, lowmem, min_free_kb,
                     zone.type == ZoneType::kHighmem);
      set_lowmem_reserve(zone.marks, zone.type, managed);
      zone.update_fast_marks();
      zone.stacks.set_high(pcp_high_of(zone));
    }
  }
}

uint32_t PageAllocator::pcp_high_of(const Zone& zone) const {
  const unsigned cpus = nodes_[zone.node.value()].cpus;
  return pcp_high(zone.marks.at(Mark::kLow), cpus == 0 ? cpu_count_ : cpus,
                  pcp_batch(zone.managed));
}

bool PageAllocator::build_stacks(BootMemory& boot) {
  size_t stride = 0;
  for (const Zone& zone : zones()) {
    if (!zone.populated()) continue;
    stride += PageStacks::cpu_bytes(pcp_batch(zone.managed), pcp_high_of(zone), cpu_count_);
  }
  void* memory = boot.alloc(uint64_t{stride} * (cpu_count_ + 1));
  // Stacks belong to a zone: pushing need not compare nodes, so all CPUs pretend to be on node 0.
  const uint16_t* no_nodes = boot.alloc_array<uint16_t>(cpu_count_);
  if (memory == nullptr || no_nodes == nullptr) return false;
  stack_table_.init(*platform_, stacks_, memory, stride, {cpu_locks_, cpu_count_},
                    {no_nodes, cpu_count_});
  uintptr_t offset = 0;
  for (Zone& zone : zones()) {
    if (!zone.populated()) continue;
    const uint32_t batch = pcp_batch(zone.managed);
    const uint32_t high = pcp_high_of(zone);
    zone.stacks.init(stack_table_, offset, batch, high);
    offset += PageStacks::cpu_bytes(batch, high, cpu_count_);
  }
  return true;
}

bool PageAllocator::build_routes(BootMemory& boot) {
  const size_t count = size_t{1} + cpu_count_ + node_count_;
  auto* tables = boot.alloc_array<RouteTable>(count);
  if (tables == nullptr) return false;
  for (Route& closed : tables[0].route) closed = {&kNothingFree, &kUnreachableMark, {}};
  for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) {
    fill_routes(tables[1 + cpu], node_of_cpu(CpuId(cpu)));
  }
  for (unsigned n = 0; n != node_count_; ++n) fill_routes(tables[1 + cpu_count_ + n], NodeId(n));
  route_tables_ = tables;
  route_step_ = stack_table_.lockless() ? 1 : 0;
  if (node_count_ == 1) shared_routes_ = &tables[1];
  return true;
}

void PageAllocator::fill_routes(RouteTable& table, NodeId id) const {
  for (uint32_t bits = 0; bits != kRoutes; ++bits) {
    const auto gfp = Gfp(bits);
    const MigrateType type = gfp_migratetype(gfp);
    const ZoneType highest = gfp_zone(gfp);
    const Zone* zone = node(id).fallback.first(highest);
    Route& route = table.route[bits];
    route = {&kNothingFree, &kUnreachableMark, {}};
    if (!zone_bits_valid(gfp) || type > MigrateType::kReclaimable || zone == nullptr ||
        zone->node != id) {
      continue;
    }
    route = {&zone->counters, &zone->fast_mark[static_cast<unsigned>(highest)], {}};
    for (uint8_t order = 0; order != kSmallPcpOrders; ++order) {
      route.stack_offset[order] = zone->stacks.offset(Order(order), type);
    }
    if (kKeepsHugePages) table.huge_stack_offset[bits] = zone->stacks.offset(kHugeOrder, type);
  }
}

}  // namespace quarry
