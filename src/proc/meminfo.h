// SPDX-License-Identifier: MIT
#pragma once

#include "base/text_sink.h"
#include "vmalloc/vmalloc.h"

namespace quarry {

// /proc/meminfo as a Linux 6.1 writes it that was built without zswap, hugetlb, CMA, transparent
// huge pages and memory-failure handling. Process context.
void write_meminfo(TextSink& out, const Kmem& kmem, const Vmalloc& vmalloc);

}  // namespace quarry
