// SPDX-License-Identifier: MIT

// Which object an address lies in, for whoever reports on it.

#include "kmem/kmem.h"

namespace quarry {

bool Kmem::describe(const void* address, TextSink& out) const {
  const KmemCache* const cache = cache_of(address);
  if (cache == nullptr) return false;
  const Page* page = map_.page_of(address);
  if (has_flag(*page, QUARRY_PAGE_TAIL)) page = map_.page(Pfn(page->head));
  const auto* const base = static_cast<const char*>(map_.address(page));
  const auto offset = static_cast<size_t>(static_cast<const char*>(address) - base);
  const size_t start = engine_->object_offset(*cache, *page, offset);
  format(out, " slab %s start %p pointer offset %zu size %u\n", cache->name,
         static_cast<const void*>(base + start), offset - start, cache->object_size);
  return true;
}

}  // namespace quarry
