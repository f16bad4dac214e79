// SPDX-License-Identifier: MIT
#pragma once

#include "base/text_sink.h"
#include "vmalloc/vmalloc.h"

namespace quarry {

// /proc/vmallocinfo as Linux 6.1 writes it, an area a line in order of address; areas that come or
// go meanwhile are there or not. Process context.
void write_vmallocinfo(TextSink& out, const Vmalloc& vmalloc);

}  // namespace quarry
