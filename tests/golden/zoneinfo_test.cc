// SPDX-License-Identifier: MIT
// /proc/zoneinfo of Linux 6.1, every row of it; the numbers that the machine decides are holes.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::Mark;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
using quarry::Zone;
using quarry::ZoneType;
namespace gfp = quarry::gfp;

constexpr size_t kBytes = 24 * quarry::kKiB;

void write_head(FixedText<kBytes>& out, int node, const char* zone) {
  format(out, "Node %d, zone %8s\n", node, zone);
}

void write_node(FixedText<kBytes>& out, unsigned reclaimable, unsigned unreclaimable) {
  format(out,
         "  per-node stats\n"
         "      nr_inactive_anon 0\n"
         "      nr_active_anon 0\n"
         "      nr_inactive_file 0\n"
         "      nr_active_file 0\n"
         "      nr_unevictable 0\n"
         "      nr_slab_reclaimable %u\n"
         "      nr_slab_unreclaimable %u\n"
         "      nr_isolated_anon 0\n"
         "      nr_isolated_file 0\n"
         "      workingset_nodes 0\n"
         "      workingset_refault_anon 0\n"
         "      workingset_refault_file 0\n"
         "      workingset_activate_anon 0\n"
         "      workingset_activate_file 0\n"
         "      workingset_restore_anon 0\n"
         "      workingset_restore_file 0\n"
         "      workingset_nodereclaim 0\n"
         "      nr_anon_pages 0\n"
         "      nr_mapped    0\n"
         "      nr_file_pages 0\n"
         "      nr_dirty     0\n"
         "      nr_writeback 0\n"
         "      nr_writeback_temp 0\n"
         "      nr_shmem     0\n"
         "      nr_shmem_hugepages 0\n"
         "      nr_shmem_pmdmapped 0\n"
         "      nr_file_hugepages 0\n"
         "      nr_file_pmdmapped 0\n"
         "      nr_anon_transparent_hugepages 0\n"
         "      nr_vmscan_write 0\n"
         "      nr_vmscan_immediate_reclaim 0\n"
         "      nr_dirtied   0\n"
         "      nr_written   0\n"
         "      nr_throttled_written 0\n"
         "      nr_kernel_misc_reclaimable 0\n"
         "      nr_foll_pin_acquired 0\n"
         "      nr_foll_pin_released 0\n"
         "      nr_kernel_stack 0\n"
         "      nr_page_table_pages 0\n"
         "      nr_sec_page_table_pages 0\n"
         "      nr_swapcached 0\n",
         reclaimable, unreclaimable);
}

void write_empty(FixedText<kBytes>& out, int node, const char* zone) {
  write_head(out, node, zone);
  format(out,
         "  pages free     0\n"
         "        boost    0\n"
         "        min      0\n"
         "        low      0\n"
         "        high     0\n"
         "        spanned  0\n"
         "        present  0\n"
         "        managed  0\n"
         "        cma      0\n"
         "        protection: (0, 0, 0, 0)\n");
}

void write_pages(FixedText<kBytes>& out, const Zone& zone, const char* protection) {
  format(out,
         "  pages free     %u\n"
         "        boost    0\n"
         "        min      %u\n"
         "        low      %u\n"
         "        high     %u\n",
         zone.free_pages(), zone.marks.at(Mark::kMin), zone.marks.at(Mark::kLow),
         zone.marks.at(Mark::kHigh));
  format(out,
         "        spanned  %u\n"
         "        present  %u\n"
         "        managed  %u\n"
         "        cma      0\n"
         "        protection: (%s)\n",
         zone.end.value() - zone.start.value(), zone.present, zone.managed, protection);
  format(out,
         "      nr_free_pages %u\n"
         "      nr_zone_inactive_anon 0\n"
         "      nr_zone_active_anon 0\n"
         "      nr_zone_inactive_file 0\n"
         "      nr_zone_active_file 0\n"
         "      nr_zone_unevictable 0\n"
         "      nr_zone_write_pending 0\n"
         "      nr_mlock     0\n"
         "      nr_bounce    0\n"
         "      nr_zspages   0\n"
         "      nr_free_cma  0\n"
         "      numa_hit     0\n"
         "      numa_miss    0\n"
         "      numa_foreign 0\n"
         "      numa_interleave 0\n"
         "      numa_local   0\n"
         "      numa_other   0\n",
         zone.free_pages());
}

// `kept`: pages in the stacks of the second of two CPUs; the first has none.
void write_cpus(FixedText<kBytes>& out, const Zone& zone, unsigned kept) {
  format(out,
         "  pagesets\n"
         "    cpu: 0\n"
         "              count: 0\n"
         "              high:  %u\n"
         "              batch: 1\n"
         "  vm stats threshold: 0\n"
         "    cpu: 1\n"
         "              count: %u\n"
         "              high:  %u\n"
         "              batch: 1\n"
         "  vm stats threshold: 0\n",
         zone.stacks.high(), kept, zone.stacks.high());
  format(out, "  node_unreclaimable:  0\n  start_pfn:           %u\n", zone.start);
}

Zone& zone_of(Machine& m, int node, ZoneType type) {
  return m.core().pages.node(NodeId(node)).zone(type);
}

QUARRY_TEST(Zoneinfo, of_two_nodes) {
  if (!quarry::kHasDma32) return;  // another list of zones
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  m.on_cpu(1);
  const quarry::NodePages before[] = {m.core().kmem.node_pages(NodeId(0)),
                                      m.core().kmem.node_pages(NodeId(1))};
  void* block = m->kmalloc_node(100000, gfp::kKernel, NodeId(1));  // 32 pages
  void* object = m->kmalloc_node(100, gfp::kKernel | gfp::kReclaimable, NodeId(0));
  void* page = m->get_free_pages(gfp::kKernel, Order(0));
  m->drain_all();
  m->free_pages_at(page, Order(0));  // CPU 1 keeps it

  FixedText<kBytes> wanted;
  const Zone& dma = zone_of(m, 0, ZoneType::kDma);
  write_head(wanted, 0, "DMA");
  write_node(wanted, static_cast<unsigned>(before[0].reclaimable + 1),
             static_cast<unsigned>(before[0].unreclaimable));
  write_pages(wanted, dma, "0, 16, 16, 16");  // 4096 pages of the zone above / 256
  write_cpus(wanted, dma, 0);
  const Zone& low = zone_of(m, 0, ZoneType::kDma32);
  write_head(wanted, 0, "DMA32");
  write_pages(wanted, low, "0, 0, 0, 0");
  write_cpus(wanted, low, 0);
  write_empty(wanted, 0, "Normal");
  write_empty(wanted, 0, "Movable");
  write_empty(wanted, 1, "DMA");
  const Zone& remote = zone_of(m, 1, ZoneType::kDma32);
  write_head(wanted, 1, "DMA32");
  write_node(wanted, static_cast<unsigned>(before[1].reclaimable),
             static_cast<unsigned>(before[1].unreclaimable + 32));
  write_pages(wanted, remote, "0, 0, 0, 0");
  write_cpus(wanted, remote, 1);
  write_empty(wanted, 1, "Normal");
  write_empty(wanted, 1, "Movable");

  FixedText<kBytes> text;
  m->zoneinfo(text);
  CHECK_TEXT(text.c_str(), wanted.c_str());
  CHECK(!text.truncated());
  m->kfree(object);
  m->kfree(block);
}

}  // namespace
