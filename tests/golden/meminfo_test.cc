// SPDX-License-Identifier: MIT
// /proc/meminfo of Linux 6.1: a label in 16 columns, "%8lu kB".
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::Mark;
using quarry::NodeId;
using quarry::Zone;
namespace gfp = quarry::gfp;

// Pages below which ordinary requests are not served, as Linux sums them up for MemAvailable.
uint64_t reserve(Machine& m) {
  uint64_t pages = 0;
  for (const Zone& zone : m.core().pages.zones()) {
    if (!zone.populated()) continue;
    const auto highest = static_cast<unsigned>(quarry::ZoneType::kMovable);
    pages += static_cast<uint64_t>(zone.marks.at(Mark::kHigh) + zone.marks.lowmem_reserve[highest]);
  }
  return pages;
}

QUARRY_TEST(Meminfo, of_two_nodes) {
  if (!quarry::kHasDma32) return;  // other rows
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  quarry::NodePages idle = m.core().kmem.node_pages(NodeId(0));
  idle += m.core().kmem.node_pages(NodeId(1));
  void* block = m->kmalloc(100000, gfp::kKernel);  // 32 pages
  void* area = m->vmalloc(5 * quarry::kPageBytes);
  quarry::KmemCache* cache =
      m->cache_create("inodes", 1000, {.flags = QUARRY_SLAB_RECLAIM_ACCOUNT});
  REQUIRE(cache != nullptr);
  void* objects[100];
  CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, objects), 100U);
  m.give_back_all();
  const uint64_t reclaimable = quarry::MemorySystem::cache_info(*cache).slab_pages;
  CHECK(reclaimable >= 25);
  CHECK_EQ(idle.reclaimable, 0U);
  uint64_t unreclaimable = m->slab_page_count() - reclaimable + 32;

  const auto kb = [](uint64_t pages) { return pages * 4; };
  FixedText<4096> wanted;
  format(wanted,
         "MemTotal:       %8u kB\n"
         "MemFree:        %8u kB\n"
         "MemAvailable:   %8u kB\n",
         kb(m->managed_pages()), kb(m->free_page_count()),
         kb(m->free_page_count() - reserve(m) + reclaimable - reclaimable / 2));
  format(wanted,
         "Buffers:               0 kB\n"
         "Cached:                0 kB\n"
         "SwapCached:            0 kB\n"
         "Active:                0 kB\n"
         "Inactive:              0 kB\n"
         "Active(anon):          0 kB\n"
         "Inactive(anon):        0 kB\n"
         "Active(file):          0 kB\n"
         "Inactive(file):        0 kB\n"
         "Unevictable:           0 kB\n"
         "Mlocked:               0 kB\n"
         "SwapTotal:             0 kB\n"
         "SwapFree:              0 kB\n"
         "Dirty:                 0 kB\n"
         "Writeback:             0 kB\n"
         "AnonPages:             0 kB\n"
         "Mapped:                0 kB\n"
         "Shmem:                 0 kB\n"
         "KReclaimable:   %8u kB\n"
         "Slab:           %8u kB\n"
         "SReclaimable:   %8u kB\n"
         "SUnreclaim:     %8u kB\n",
         kb(reclaimable), kb(reclaimable + unreclaimable), kb(reclaimable), kb(unreclaimable));
  const quarry::Platform& platform = m.platform;
  format(wanted,
         "KernelStack:           0 kB\n"
         "PageTables:            0 kB\n"
         "SecPageTables:         0 kB\n"
         "NFS_Unstable:          0 kB\n"
         "Bounce:                0 kB\n"
         "WritebackTmp:          0 kB\n"
         "CommitLimit:           0 kB\n"
         "Committed_AS:          0 kB\n"
         "VmallocTotal:   %8u kB\n"
         "VmallocUsed:          20 kB\n"
         "VmallocChunk:          0 kB\n"
         "Percpu:                0 kB\n",
         (platform.vmalloc_end() - platform.vmalloc_start()) >> 10);
  FixedText<4096> text;
  m->meminfo(text);
  CHECK_TEXT(text.c_str(), wanted.c_str());

  m->cache_free_bulk(cache, objects);
  m->cache_destroy(cache);
  m->vfree(area);
  m->kfree(block);
  // Everything that was counted is discounted.
  m.give_back_all();
  quarry::NodePages after = m.core().kmem.node_pages(NodeId(0));
  after += m.core().kmem.node_pages(NodeId(1));
  CHECK_EQ(after.reclaimable, idle.reclaimable);
  CHECK_EQ(after.unreclaimable, idle.unreclaimable);
}

QUARRY_TEST(ProcTexts, are_found_by_name) {
  Machine m;
  FixedText<32 * quarry::kKiB> by_call;
  m->buddyinfo(by_call);
  m->meminfo(by_call);
  m->pagetypeinfo(by_call);
  m->slabinfo(by_call);
  m->vmallocinfo(by_call);
  m->zoneinfo(by_call);
  FixedText<32 * quarry::kKiB> by_name;
  for (const char* name : quarry::MemorySystem::proc_names()) CHECK(m->proc_text(name, by_name));
  CHECK_TEXT(by_name.c_str(), by_call.c_str());
  CHECK(!m->proc_text("slabinf", by_name));
  CHECK(!m->proc_text("", by_name));
}

}  // namespace
