// SPDX-License-Identifier: MIT
#pragma once

// Texts in the exact format of the kernel's /proc files of the same name (proc(5); formats: Linux
// 6.1). Process context; each takes the locks it needs for a moment at a time, so a text is a
// consistent picture of each line and not of the whole.

#include "base/text_sink.h"
#include "kmem/kmem.h"
#include "quarry/file_write.h"
#include "zone/page_allocator.h"

namespace quarry {

void write_buddyinfo(TextSink& out, const PageAllocator& pages);
void write_pagetypeinfo(TextSink& out, const PageAllocator& pages);
void write_slabinfo(TextSink& out, const Kmem& kmem);
void write_zoneinfo(TextSink& out, const Kmem& kmem);

// Whether a kernel for machines of this word size knows the zone: DMA32 is there or HighMem.
constexpr bool is_kernels_zone(ZoneType type) {
  return type == ZoneType::kDma32 ? kHasDma32 : type != ZoneType::kHighmem || !kHasDma32;
}

// "name limit batchcount shared" changes the tunables of a cache, of an engine that has some.
FileWrite write_to_slabinfo(Kmem& kmem, std::span<const char> text);

}  // namespace quarry
