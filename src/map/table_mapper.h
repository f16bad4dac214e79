// SPDX-License-Identifier: MIT
#pragma once

#include "map/page_mapper.h"
#include "map/page_tables.h"
#include "map/tlb.h"

namespace quarry {

// Maps by page tables that the core writes itself. One flush for each unmap(): one call to all
// CPUs, whatever the number of pages.
template <class Cpu>
class TableMapper final : public PageMapper {
 public:
  using Tables = PageTables<typename Cpu::TableFormat>;

  constexpr TableMapper() = default;
  // For the platform's vmalloc range. All must outlive the mapper.
  void init(Platform& platform, Tables& tables, const Tlb<Cpu>& tlb, FrameSource& frames) {
    tables_ = &tables;
    tlb_ = &tlb;
    frames_ = &frames;
    vmalloc_ = {platform.vmalloc_start(), platform.vmalloc_end()};
    kmap_ = {platform.kmap_start(), platform.kmap_end()};
  }

  [[nodiscard]] bool map(VirtAddr at, Pfn first, size_t count, MapAccess access) override {
    const size_t done = tables_->fill(at, first, count, access);
    if (done == count) return true;
    if (done != 0) unmap(at, done);
    trim(at, count);
    return false;
  }

  void unmap(VirtAddr at, size_t count) override {
    tables_->clear(at, count);
    tlb_->flush(at, count);
  }

  size_t table_count() const override { return tables_->table_count(); }
  void trim() override { trim(vmalloc_.start, vmalloc_.pages()); }
  // Nothing is mapped any more, by nobody: gives back the tables of both ranges.
  void release_all() {
    trim(vmalloc_.start, vmalloc_.pages());
    trim(kmap_.start, kmap_.pages());
  }

 private:
  static constexpr size_t kTrimBatch = 32;

  struct Range {
    VirtAddr start;
    VirtAddr end;
    size_t pages() const { return (end - start) >> kPageShift; }
  };

  void trim(VirtAddr at, size_t count) {
    Pfn detached[kTrimBatch];
    while (const size_t found = tables_->detach_empty(at, count, detached)) {
      tlb_->flush(at, count);
      for (size_t i = 0; i != found; ++i) frames_->give_back(detached[i]);
    }
  }

  Tables* tables_ = nullptr;
  const Tlb<Cpu>* tlb_ = nullptr;
  FrameSource* frames_ = nullptr;
  Range vmalloc_{};
  Range kmap_{};
};

}  // namespace quarry
