// SPDX-License-Identifier: MIT
// The frames of an area: the array of their numbers, taking, mapping and freeing them.
#include "vmalloc/vmalloc.h"

namespace quarry {
namespace {

// How many frames from index `from` on follow each other.
size_t run_length(const Area& area, size_t from) {
  const uint32_t first = area.frames[from];
  size_t length = 1;
  while (from + length < area.frame_count && area.frames[from + length] == first + length) {
    ++length;
  }
  return length;
}

unsigned lowest_set_bit(uint32_t value) { return find_first_set(value) - 1; }

// Whether pages that were split can be one block again: nobody else has a reference to any, so
// nobody can get one.
bool can_join(const Page* pages, uint32_t count) {
  for (uint32_t i = 0; i != count; ++i) {
    if (pages[i].flags != 0 || __atomic_load_n(&pages[i]._refcount, __ATOMIC_ACQUIRE) != 1) {
      return false;
    }
  }
  return true;
}

}  // namespace

// Few numbers lie in the area itself. An array above a page is vmalloc'ed: it needs an array 1024
// times smaller, so the recursion ends soon.
bool Vmalloc::get_frame_array(Area& area, size_t count, Gfp gfp, NodeId node, uintptr_t place) {
  const Gfp array_gfp = gfp & gfp::kReclaimMask;
  const size_t bytes = count * sizeof(uint32_t);
  void* memory = area.inline_frames;
  if (bytes > kPageBytes) {
    memory = alloc(bytes, array_gfp, node, place);
  } else if (count > Area::kInlineFrames) {
    memory = kmem_->kmalloc_node(bytes, array_gfp, node, place);
  }
  area.frames = static_cast<uint32_t*>(memory);
  return memory != nullptr;
}

void Vmalloc::put_frame_array(Area& area) {
  if (area.frames != area.inline_frames) kvfree(area.frames, area.caller);
  area.frames = nullptr;
  area.frame_count = 0;
}

// False: frame_count says how many there are.
bool Vmalloc::take_frames(Area& area, size_t count, Gfp gfp, NodeId node) {
  gfp &= ~(gfp::kZero | gfp::kComp);
  if (!any(gfp, gfp::kDmaBit | gfp::kDma32Bit)) gfp |= gfp::kHighmemBit;
  // The failure is reported for the whole area. Large blocks are taken if they are just there.
  const Gfp single_gfp = gfp | gfp::kNoWarn;
  const Gfp block_gfp =
      (single_gfp | gfp::kNoRetry) & ~(gfp::kReclaim | gfp::kNoFail | gfp::kRetryMayfail);
  unsigned most = kMaxOrder.value();
  while (area.frame_count != count) {
    const size_t left = count - area.frame_count;
    if (left == 1 || most == 0) {
      Page* const page = pages_->alloc(single_gfp, Order{0}, node);
      if (page == nullptr) return false;
      area.frames[area.frame_count++] = pages_->map().pfn(page).value();
      continue;
    }
    const unsigned fits = ilog2(left);
    const Order order{fits < most ? fits : most};
    Page* const page = pages_->alloc(block_gfp, order, node);
    if (page == nullptr) {
      most = order.value() - 1U;
      continue;
    }
    pages_->split(page, order);
    const uint32_t first = pages_->map().pfn(page).value();
    for (uint32_t i = 0; i != order.pages(); ++i) area.frames[area.frame_count++] = first + i;
  }
  return true;
}

void Vmalloc::free_frames(const Area& area) {
  for (size_t i = 0; i != area.frame_count;) {
    const size_t length = run_length(area, i);
    const Pfn first{area.frames[i]};
    if (length == 1) {
      pages_->free(pages_->map().page(first), Order{0});
    } else {
      free_run(first, length);
    }
    i += length;
  }
}

// Single pages that follow each other go back in blocks where that is possible, up to a pageblock:
// that far all belong to one zone.
void Vmalloc::free_run(Pfn first, size_t count) {
  while (count != 0) {
    unsigned order = ilog2(count);
    if (order > kPageblockOrder) order = kPageblockOrder;
    const unsigned alignment = lowest_set_bit(first.value());
    if (order > alignment) order = alignment;
    const Order block{order};
    Page* const page = pages_->map().page(first);
    if (can_join(page, block.pages())) {
      for (uint32_t i = 1; i != block.pages(); ++i) page[i]._refcount = 0;
      pages_->free(page, block);
    } else {
      for (uint32_t i = 0; i != block.pages(); ++i) pages_->free(page + i, Order{0});
    }
    first += block.pages();
    count -= block.pages();
  }
}

// False: nothing is mapped.
bool Vmalloc::map_frames(const Area& area, MapAccess access) {
  for (size_t i = 0; i != area.frame_count;) {
    const size_t length = run_length(area, i);
    const VirtAddr at{area.start + (i << kPageShift)};
    if (!mapper_->map(at, Pfn{area.frames[i]}, length, access)) {
      if (i != 0) mapper_->unmap(VirtAddr{area.start}, i);
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace quarry
