// SPDX-License-Identifier: MIT
#include "proc/vmallocinfo.h"

namespace quarry {
namespace {

const char* kind_word(AreaKind kind) {
  switch (kind) {
    case AreaKind::kReserved:
      return " ioremap";
    case AreaKind::kVmalloc:
      return " vmalloc";
    case AreaKind::kVmap:
      return " vmap";
  }
  return "";
}

// Of an area that has ended nothing is known but its addresses.
void write_unpurged(TextSink& out, const AreaInfo& info) {
  format(out, "0x%p-0x%p %7ld unpurged vm_area\n", reinterpret_cast<const void*>(info.start),
         reinterpret_cast<const void*>(info.start + info.bytes), info.bytes);
}

void write_area(TextSink& out, const Vmalloc& vmalloc, const AreaInfo& info) {
  format(out, "0x%p-0x%p %7ld", reinterpret_cast<const void*>(info.start),
         reinterpret_cast<const void*>(info.start + info.bytes), info.bytes);
  if (info.caller != 0) {
    char name[160] = {};
    vmalloc.platform().symbolize(info.caller, name);
    format(out, " %s", static_cast<const char*>(name));
  }
  if (info.frame_count != 0) format(out, " pages=%d", info.frame_count);
  format(out, "%s", kind_word(info.kind));
  if (info.frames_in_vmalloc) format(out, " vpages");
  for (unsigned node = 0; node != vmalloc.node_count(); ++node) {
    const uint32_t frames = info.frames_of_node[node];
    if (frames != 0) format(out, " N%u=%u", node, frames);
  }
  format(out, "\n");
}

}  // namespace

void write_vmallocinfo(TextSink& out, const Vmalloc& vmalloc) {
  AreaInfo info;
  for (uintptr_t from = 0; vmalloc.next_area(from, info); from = info.start + info.bytes) {
    if (!info.unpurged) write_area(out, vmalloc, info);
  }
  for (uintptr_t from = 0; vmalloc.next_area(from, info); from = info.start + info.bytes) {
    if (info.unpurged) write_unpurged(out, info);
  }
}

}  // namespace quarry
