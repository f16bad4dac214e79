// SPDX-License-Identifier: MIT
#include "proc/proc.h"

namespace quarry {
namespace {

// Rows of a node in the order of Linux 6.1, around its two rows about slabs. They tell of the page
// cache, of writeback and of swapping, which are not here: each is 0.
constexpr const char* kBeforeSlabs[] = {"nr_inactive_anon", "nr_active_anon", "nr_inactive_file",
                                        "nr_active_file", "nr_unevictable"};
constexpr const char* kBehindSlabs[] = {"nr_isolated_anon",
                                        "nr_isolated_file",
                                        "workingset_nodes",
                                        "workingset_refault_anon",
                                        "workingset_refault_file",
                                        "workingset_activate_anon",
                                        "workingset_activate_file",
                                        "workingset_restore_anon",
                                        "workingset_restore_file",
                                        "workingset_nodereclaim",
                                        "nr_anon_pages",
                                        "nr_mapped",
                                        "nr_file_pages",
                                        "nr_dirty",
                                        "nr_writeback",
                                        "nr_writeback_temp",
                                        "nr_shmem",
                                        "nr_shmem_hugepages",
                                        "nr_shmem_pmdmapped",
                                        "nr_file_hugepages",
                                        "nr_file_pmdmapped",
                                        "nr_anon_transparent_hugepages",
                                        "nr_vmscan_write",
                                        "nr_vmscan_immediate_reclaim",
                                        "nr_dirtied",
                                        "nr_written",
                                        "nr_throttled_written",
                                        "nr_kernel_misc_reclaimable",
                                        "nr_foll_pin_acquired",
                                        "nr_foll_pin_released",
                                        "nr_kernel_stack",
                                        "nr_page_table_pages",
                                        "nr_sec_page_table_pages",
                                        "nr_swapcached"};
// Of a zone, behind nr_free_pages. The numa_* rows are those of a kernel with vm.numa_stat=0: to
// count them would cost every allocation.
constexpr const char* kBehindFree[] = {"nr_zone_inactive_anon",
                                       "nr_zone_active_anon",
                                       "nr_zone_inactive_file",
                                       "nr_zone_active_file",
                                       "nr_zone_unevictable",
                                       "nr_zone_write_pending",
                                       "nr_mlock",
                                       "nr_bounce",
                                       "nr_zspages",
                                       "nr_free_cma",
                                       "numa_hit",
                                       "numa_miss",
                                       "numa_foreign",
                                       "numa_interleave",
                                       "numa_local",
                                       "numa_other"};

void write_row(TextSink& out, const char* name, uint64_t value) {
  format(out, "\n      %-12s %lu", name, value);
}

void write_node(TextSink& out, const NodePages& slabs) {
  format(out, "\n  per-node stats");
  for (const char* name : kBeforeSlabs) write_row(out, name, 0);
  write_row(out, "nr_slab_reclaimable", slabs.reclaimable);
  write_row(out, "nr_slab_unreclaimable", slabs.unreclaimable);
  for (const char* name : kBehindSlabs) write_row(out, name, 0);
}

void write_pages(TextSink& out, const Zone& zone) {
  format(out, "\n  pages free     %lu", zone.free_pages());
  format(out, "\n        boost    %lu", zone.marks.boost.load(std::memory_order_relaxed));
  format(out, "\n        min      %lu", zone.marks.at(Mark::kMin));
  format(out, "\n        low      %lu", zone.marks.at(Mark::kLow));
  format(out, "\n        high     %lu", zone.marks.at(Mark::kHigh));
  format(out, "\n        spanned  %lu", zone.end - zone.start);
  format(out, "\n        present  %lu", zone.present);
  format(out, "\n        managed  %lu", zone.managed);
  format(out, "\n        cma      %lu", 0U);
  const char* separator = "\n        protection: (";
  for (unsigned type = 0; type != kZoneTypes; ++type) {
    if (!is_kernels_zone(ZoneType(type))) continue;
    format(out, "%s%ld", separator, zone.marks.lowmem_reserve[type]);
    separator = ", ";
  }
  format(out, ")");
}

// The stacks that CPUs keep, in pages. Counters are not kept by CPU, so there is no drift.
void write_cpus(TextSink& out, const Zone& zone, unsigned cpus) {
  format(out, "\n  pagesets");
  for (unsigned cpu = 0; cpu != cpus; ++cpu) {
    format(out, "\n    cpu: %d", cpu);
    format(out, "\n              count: %d", zone.stacks.count(CpuId(cpu)));
    format(out, "\n              high:  %d", zone.stacks.high());
    format(out, "\n              batch: %d", zone.stacks.batch());
    format(out, "\n  vm stats threshold: %d", 0);
  }
}

}  // namespace

void write_zoneinfo(TextSink& out, const Kmem& kmem) {
  const PageAllocator& pages = kmem.pages();
  NodeId described = kNoNode;
  for (const Zone& zone : pages.zones()) {
    if (!is_kernels_zone(zone.type)) continue;
    format(out, "Node %d, zone %8s", zone.node, zone.name());
    // A node is described with the first of its zones that has memory.
    if (zone.populated() && zone.node != described) {
      described = zone.node;
      write_node(out, kmem.node_pages(zone.node));
    }
    write_pages(out, zone);
    if (zone.populated()) {
      write_row(out, "nr_free_pages", static_cast<uint64_t>(zone.free_pages()));
      for (const char* name : kBehindFree) write_row(out, name, 0);
      write_cpus(out, zone, pages.cpu_count());
      format(out, "\n  node_unreclaimable:  %u", 0U);
      format(out, "\n  start_pfn:           %lu", zone.start);
    }
    format(out, "\n");
  }
}

}  // namespace quarry
