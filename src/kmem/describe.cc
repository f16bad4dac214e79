// SPDX-License-Identifier: MIT

// Which object an address lies in, for whoever reports on it.

#include "kmem/kmem.h"

namespace quarry {

bool Kmem::describe(const void* address, TextSink& out) const {
  KmemCache* const cache = cache_of(address);
  if (cache == nullptr) return false;
  const Page* page = map_.page_of(address);
  if (has_flag(*page, QUARRY_PAGE_TAIL)) page = map_.page(Pfn(page->head));
  auto* const base = static_cast<char*>(map_.address(page));
  const auto offset = static_cast<size_t>(static_cast<const char*>(address) - base);
  const size_t start = engine_->object_offset(*cache, *page, offset);
  void* const object = base + start;
  format(out, " slab %s start %p pointer offset %zu size %u", cache->name, object, offset - start,
         cache->object_size);
  const Origin allocated = engine_->origin(*cache, object, TrackKind::kAlloc);
  if (allocated.place != 0) {
    format(out, " allocated at ");
    reporter_->print_address(out, allocated.place);
  }
  format(out, "\n");
  print_frames(out, allocated.backtrace);
  const Origin freed = engine_->origin(*cache, object, TrackKind::kFree);
  if (freed.backtrace.count != 0) format(out, " Free path:\n");
  print_frames(out, freed.backtrace);
  return true;
}

void Kmem::print_frames(TextSink& out, const Backtrace& backtrace) const {
  for (const uintptr_t frame : backtrace.frames()) {
    format(out, "    ");
    reporter_->print_address(out, frame);
    format(out, "\n");
  }
}

}  // namespace quarry
