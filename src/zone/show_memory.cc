// SPDX-License-Identifier: MIT
// "Mem-Info:", as it follows the report of a failed allocation.
#include "zone/page_allocator.h"

namespace quarry {

namespace {

constexpr uint64_t kb(uint64_t pages) { return pages << (kPageShift - 10); }
uint64_t kb(long pages) { return kb(static_cast<uint64_t>(pages)); }

void show_zone(TextSink& out, const Zone& zone, unsigned cpus) {
  uint64_t stacked = 0;
  for (unsigned cpu = 0; cpu != cpus; ++cpu) stacked += zone.stacks.count(CpuId(cpu));
  format(out, "Node %d %s free:%ukB boost:%ukB min:%ukB low:%ukB high:%ukB ", zone.node,
         zone.name(), kb(zone.free_pages()), kb(zone.marks.boost.load(std::memory_order_relaxed)),
         kb(zone.marks.at(Mark::kMin)), kb(zone.marks.at(Mark::kLow)),
         kb(zone.marks.at(Mark::kHigh)));
  format(out, "reserved_highatomic:%uKB present:%ukB managed:%ukB free_pcp:%ukB\n",
         kb(zone.marks.highatomic.load(std::memory_order_relaxed)), kb(zone.present),
         kb(zone.managed), kb(stacked));
  format(out, "lowmem_reserve[]:");
  for (long reserve : zone.marks.lowmem_reserve) format(out, " %d", reserve);
  format(out, "\n");
}

void show_free_blocks(TextSink& out, const Zone& zone) {
  constexpr char kTypeLetters[kMigrateTypes + 1] = "UMEHCI";
  format(out, "Node %d %s: ", zone.node, zone.name());
  uint64_t total = 0;
  for (Order order{0}; order <= kMaxOrder; ++order) {
    uint32_t count[kMigrateTypes];
    uint32_t sum = 0;
    {
      LockGuard guard(zone.lock);
      for (uint8_t type = 0; type != kMigrateTypes; ++type) {
        count[type] = zone.buddy.list(order, MigrateType(type)).count;
        sum += count[type];
      }
    }
    total += uint64_t{sum} << order.value();
    format(out, "%u*%ukB ", sum, kb(uint64_t{order.pages()}));
    if (sum == 0) continue;
    format(out, "(");
    for (unsigned type = 0; type != kMigrateTypes; ++type) {
      if (count[type] != 0) format(out, "%c", kTypeLetters[type]);
    }
    format(out, ") ");
  }
  format(out, "= %ukB\n", kb(total));
}

}  // namespace

void PageAllocator::show_memory(TextSink& out) const {
  format(out, "Mem-Info:\n");
  for (const Zone& zone : zones()) {
    if (zone.populated()) show_zone(out, zone, cpu_count_);
  }
  for (const Zone& zone : zones()) {
    if (zone.populated()) show_free_blocks(out, zone);
  }
}

}  // namespace quarry
