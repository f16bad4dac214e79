// SPDX-License-Identifier: MIT
#include "proc/meminfo.h"

#include "proc/proc.h"

namespace quarry {
namespace {

// Pages of all zones.
struct ZoneSums {
  uint64_t managed = 0;
  uint64_t free = 0;
  uint64_t high_managed = 0;  // of these in zones above the direct map
  uint64_t high_free = 0;
  long reserved = 0;  // what the zones keep from ordinary requests (Linux: totalreserve_pages)
  long low_marks = 0;
};

ZoneSums sum_up(const PageAllocator& pages) {
  ZoneSums sums;
  for (const Zone& zone : pages.zones()) {
    const auto free = static_cast<uint64_t>(zone.free_pages());
    sums.managed += zone.managed;
    sums.free += free;
    if (zone.type == ZoneType::kHighmem) {
      sums.high_managed += zone.managed;
      sums.high_free += free;
    }
    long reserved = 0;
    for (const long reserve : zone.marks.lowmem_reserve) {
      if (reserve > reserved) reserved = reserve;
    }
    reserved += zone.marks.at(Mark::kHigh);
    const auto managed = static_cast<long>(zone.managed);
    sums.reserved += reserved < managed ? reserved : managed;
    sums.low_marks += zone.marks.at(Mark::kLow);
  }
  return sums;
}

// What a new user could get (Linux: si_mem_available): no page cache is there, and half of the
// reclaimable slabs, or what is above the low marks, counts.
uint64_t available(const ZoneSums& sums, uint64_t reclaimable) {
  const auto slabs = static_cast<long>(reclaimable);
  const long kept = slabs / 2 < sums.low_marks ? slabs / 2 : sums.low_marks;
  const long pages = static_cast<long>(sums.free) - sums.reserved + slabs - kept;
  return pages < 0 ? 0 : static_cast<uint64_t>(pages);
}

// A label is "Name:" in 16 columns.
void write_row(TextSink& out, const char* label, uint64_t pages) {
  format(out, "%-16s%8lu kB\n", label, pages << (kPageShift - 10));
}

void write_zeros(TextSink& out, std::span<const char* const> labels) {
  for (const char* label : labels) write_row(out, label, 0);
}

// Of page cache, users' memory and swapping: nothing of the kind is here.
constexpr const char* kOfUsers[] = {
    "Buffers:",        "Cached:",       "SwapCached:",     "Active:",
    "Inactive:",       "Active(anon):", "Inactive(anon):", "Active(file):",
    "Inactive(file):", "Unevictable:",  "Mlocked:"};
constexpr const char* kOfSwap[] = {
    "SwapTotal:", "SwapFree:", "Dirty:", "Writeback:", "AnonPages:", "Mapped:", "Shmem:"};
constexpr const char* kOfKernel[] = {
    "KernelStack:", "PageTables:",   "SecPageTables:", "NFS_Unstable:",
    "Bounce:",      "WritebackTmp:", "CommitLimit:",   "Committed_AS:"};

}  // namespace

void write_meminfo(TextSink& out, const Kmem& kmem, const Vmalloc& vmalloc) {
  const PageAllocator& pages = kmem.pages();
  const ZoneSums sums = sum_up(pages);
  NodePages slabs;
  for (unsigned n = 0; n != pages.node_count(); ++n) slabs += kmem.node_pages(NodeId(n));

  write_row(out, "MemTotal:", sums.managed);
  write_row(out, "MemFree:", sums.free);
  write_row(out, "MemAvailable:", available(sums, slabs.reclaimable));
  write_zeros(out, kOfUsers);
  if (is_kernels_zone(ZoneType::kHighmem)) {
    write_row(out, "HighTotal:", sums.high_managed);
    write_row(out, "HighFree:", sums.high_free);
    write_row(out, "LowTotal:", sums.managed - sums.high_managed);
    write_row(out, "LowFree:", sums.free - sums.high_free);
  }
  write_zeros(out, kOfSwap);
  write_row(out, "KReclaimable:", slabs.reclaimable);
  write_row(out, "Slab:", slabs.reclaimable + slabs.unreclaimable);
  write_row(out, "SReclaimable:", slabs.reclaimable);
  write_row(out, "SUnreclaim:", slabs.unreclaimable);
  write_zeros(out, kOfKernel);
  write_row(out, "VmallocTotal:", vmalloc.address_bytes() >> kPageShift);
  write_row(out, "VmallocUsed:", vmalloc.page_count());
  write_row(out, "VmallocChunk:", 0);
  write_row(out, "Percpu:", 0);
}

}  // namespace quarry
