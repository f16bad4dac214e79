// SPDX-License-Identifier: MIT
#include "trace_input.h"

#include "packed_input.h"
#include "text_trace.h"
#include "trace_source.h"

namespace quarry::tool {

std::unique_ptr<TraceInput> open_trace(const std::string& name, TraceSource& source) {
  const std::string_view magic(replay::PackedHeader::kMagic, sizeof(replay::PackedHeader::kMagic));
  if (source.begins_with(magic)) return std::make_unique<PackedInput>(name, source);
  return std::make_unique<TextTrace>(name, source);
}

}  // namespace quarry::tool
