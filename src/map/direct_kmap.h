// SPDX-License-Identifier: MIT
#pragma once

#include "frame/page_map.h"
#include "sync/report.h"

namespace quarry {

// The interface of Kmap (kmap.h) where all memory is directly mapped.
class DirectKmap {
 public:
  void init(const PageMap& map, Reporter& reporter) {
    map_ = &map;
    reporter_ = &reporter;
  }

  void* map(const Page* page, uintptr_t place) {
    reporter_->check_context(QUARRY_GFP_DIRECT_RECLAIM, place);
    return map_->address(page);
  }
  void unmap(const Page*, uintptr_t /*place*/) {}
  void* map_local(const Page* page) { return map_->address(page); }
  void unmap_local(const void*, uintptr_t /*place*/) {}
  void flush_unused() {}

  void* address(const Page* page) const { return map_->address(page); }
  Page* page_of(const void* address) const { return map_->page_of(address); }
  bool validate(TextSink&) const { return true; }

 private:
  const PageMap* map_ = nullptr;
  Reporter* reporter_ = nullptr;
};

}  // namespace quarry
