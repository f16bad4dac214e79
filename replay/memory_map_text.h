// SPDX-License-Identifier: MIT
#pragma once

#include <quarry/platform.h>
#include <quarry/text_sink.h>

#include <span>

namespace quarry::replay {

// A machine's memory as lines of text, so that another one can be made the same:
//
//   memory-map 0x100000-0x1fde0000 node 0 usable
//
// START-END in bytes, the end not included; a reserved range takes its part out of usable ones.
inline constexpr char kMemoryMapWord[] = "memory-map";

void write_memory_map(TextSink& out, std::span<const MemoryRange> ranges);

}  // namespace quarry::replay
