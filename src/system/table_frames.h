// SPDX-License-Identifier: MIT
#pragma once

#include "map/frame_source.h"
#include "zone/page_allocator.h"

namespace quarry {

// Frames of page tables, as pages of an allocator. A thread's memalloc scopes hold for them too.
class TableFrames final : public FrameSource {
 public:
  constexpr TableFrames() = default;
  // The allocator must outlive this.
  void init(PageAllocator& pages) { pages_ = &pages; }

  Pfn take() override {
    const Page* page = pages_->alloc(gfp::kKernel | gfp::kZero, Order{0});
    return page == nullptr ? kNoPfn : pages_->map().pfn(page);
  }
  void give_back(Pfn frame) override { pages_->free(pages_->map().page(frame), Order{0}); }

 private:
  PageAllocator* pages_ = nullptr;
};

}  // namespace quarry
