// SPDX-License-Identifier: MIT
#pragma once

// How memory is seen outside the direct map: the mapper of vmalloc's areas, and kmap. Which there
// are follows from the CPU that the core is compiled for, and from the platform.

#include "map/kmap.h"
#include "map/platform_mapper.h"
#include "map/table_mapper.h"

namespace quarry {

// A CPU whose page tables the core can write.
template <class Cpu>
concept HasPageTables = requires(VirtAddr at) {
  typename Cpu::TableFormat;
  // Cached translations of the running CPU: one page's, and all.
  {Cpu::flush_local_tlb(at)};
  {Cpu::flush_local_tlb()};
};

// Where the platform maps, and all memory is directly mapped.
template <class Cpu>
class AddressSpace {
 public:
  static_assert(!Cpu::kHasHighmem);

  // All must outlive this. `frames` may be called from now on, in here too. False, after a report:
  // no memory for tables, or there are frames above the direct map and no addresses for them.
  [[nodiscard]] bool boot(Platform& platform, const PageMap& map, Reporter& reporter,
                          FrameSource& /*frames*/) {
    mapper_.init(platform);
    kmap_.init(map, reporter);
    return true;
  }
  // Everything is unmapped, and all tables are given back.
  void shutdown() {}

  PageMapper& mapper() { return mapper_; }
  const PageMapper& mapper() const { return mapper_; }
  KmapOf<Cpu>& kmap() { return kmap_; }
  const KmapOf<Cpu>& kmap() const { return kmap_; }

  // False: an invariant is broken, and `out` says which. No call may be under way.
  bool validate(TextSink& /*out*/) const { return true; }

 private:
  PlatformMapper mapper_;
  DirectKmap kmap_;
};

// Where the core can write page tables, and does if the platform names their root.
template <HasPageTables Cpu>
class AddressSpace<Cpu> {
 public:
  [[nodiscard]] bool boot(Platform& platform, const PageMap& map, Reporter& reporter,
                          FrameSource& frames) {
    kmap_.init(map, reporter);
    platform_mapper_.init(platform);
    tlb_.init(platform);
    writes_tables_ = platform.page_table_root() != VirtAddr{};
    if (writes_tables_) {
      tables_.init(platform.page_table_root(), platform.direct_map_base(), frames);
      table_mapper_.init(platform, tables_, tlb_, frames);
    }
    if constexpr (Cpu::kHasHighmem) {
      const bool has_highmem = map.address(Pfn{map.end().value() - 1}) == nullptr;
      if (has_highmem && !(writes_tables_ && kmap_.boot(platform, tables_, tlb_))) {
        if (writes_tables_) table_mapper_.release_all();
        LogText out(platform);
        format(out, "kmap: no addresses or page tables for memory above the direct map\n");
        return false;
      }
    }
    return true;
  }
  void shutdown() {
    if (!writes_tables_) return;
    if constexpr (Cpu::kHasHighmem) kmap_.shutdown();
    table_mapper_.release_all();
  }

  PageMapper& mapper() {
    if (writes_tables_) return table_mapper_;
    return platform_mapper_;
  }
  const PageMapper& mapper() const { return const_cast<AddressSpace*>(this)->mapper(); }
  KmapOf<Cpu>& kmap() { return kmap_; }
  const KmapOf<Cpu>& kmap() const { return kmap_; }

  bool validate(TextSink& out) const {
    return kmap_.validate(out) && (!writes_tables_ || tables_.validate(out));
  }

 private:
  bool writes_tables_ = false;
  PlatformMapper platform_mapper_;
  PageTables<typename Cpu::TableFormat> tables_;
  Tlb<Cpu> tlb_;
  TableMapper<Cpu> table_mapper_;
  KmapOf<Cpu> kmap_;
};

}  // namespace quarry
