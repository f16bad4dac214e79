// SPDX-License-Identifier: MIT
#pragma once

// A vmalloc area of which no two frames are neighbours, in ZONE_DMA: all of the zone is taken page
// by page, and every other page is given back before the area is made. The frame behind each of the
// area's stays ours, so that nobody is harmed by what goes wrong there.

#include "kernel.h"

namespace boot {

class ScatteredArea {
 public:
  explicit ScatteredArea(size_t pages) {
    constexpr quarry::Gfp kDma = quarry::gfp::kKernel | quarry::gfp::kDma | quarry::gfp::kNoWarn;
    constexpr quarry::Gfp kAll = kDma | quarry::gfp::kMemalloc | quarry::gfp::kNoRetry;
    held_ = static_cast<quarry::Page**>(system().vmalloc(kMost * sizeof(quarry::Page*)));
    while (held_ != nullptr && count_ != kMost) {
      quarry::Page* const page = system().alloc_pages(kAll, quarry::Order(0));
      if (page == nullptr) break;
      held_[count_++] = page;
    }
    size_t odd = 0;
    for (size_t i = 0; i != count_; ++i) {
      if (system().page_to_pfn(held_[i]).value() % 2 != 0) {
        held_[odd++] = held_[i];
      } else {
        system().free_pages(held_[i], quarry::Order(0));
      }
    }
    count_ = odd;
    area_ = static_cast<unsigned char*>(system().vmalloc(pages * quarry::kPageBytes, kDma));
    scattered_ = area_ != nullptr;
    for (size_t i = 0; scattered_ && i != pages; ++i) scattered_ = holds(page(i) + 1);
  }
  ~ScatteredArea() {
    system().vfree(area_);
    for (size_t i = 0; i != count_; ++i) system().free_pages(held_[i], quarry::Order(0));
    system().vfree(held_);
  }
  ScatteredArea(const ScatteredArea&) = delete;
  ScatteredArea& operator=(const ScatteredArea&) = delete;

  // False: it could not be made.
  bool is_scattered() const { return scattered_; }
  unsigned char* area() const { return area_; }
  quarry::Page* page(size_t i) const {
    return system().vmalloc_to_page(area_ + i * quarry::kPageBytes);
  }

 private:
  static constexpr size_t kMost = 4096;  // 16 MiB

  bool holds(const quarry::Page* page) const {
    for (size_t i = 0; i != count_; ++i) {
      if (held_[i] == page) return true;
    }
    return false;
  }

  quarry::Page** held_ = nullptr;
  size_t count_ = 0;
  unsigned char* area_ = nullptr;
  bool scattered_ = false;
};

}  // namespace boot
