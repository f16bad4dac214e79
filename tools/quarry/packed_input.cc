// SPDX-License-Identifier: MIT
#include "packed_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tool_error.h"
#include "trace_source.h"

namespace quarry::tool {
namespace {

using replay::PackedHeader;

std::vector<uint8_t> read_all(const std::string& name, TraceSource& source) {
  constexpr size_t kPiece = size_t{1} << 20;
  std::vector<uint8_t> bytes;
  size_t got = 0;
  try {
    do {
      const size_t had = bytes.size();
      bytes.resize(had + kPiece);
      got = source.read({reinterpret_cast<char*>(bytes.data() + had), kPiece});
      bytes.resize(had + got);
    } while (got != 0);
  } catch (const ToolError& error) {
    throw ToolError(fmt::format("{}: {}", name, error.what()));
  }
  return bytes;
}

template <class T>
void append(std::string& bytes, const T* values, size_t count) {
  bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

std::string text_part(const TraceInput& input) {
  std::string text;
  for (const std::string& line : {input.title(), input.source()}) {
    text.append(line, 0, line.find('\0')).append(1, '\0');
  }
  text.resize((text.size() + 7) / 8 * 8);
  return text;
}

}  // namespace

PackedInput::PackedInput(std::string name, TraceSource& source)
    : name_(std::move(name)), bytes_(read_all(name_, source)) {
  if (!trace_.open(bytes_)) throw ToolError(fmt::format("{}: {}", name_, trace_.error()));
}

void PackedInput::fail_at(uint64_t event, std::string_view message) const {
  throw ToolError(fmt::format("{}: event {}: {}", name_, event + 1, message));
}

std::string pack(TraceInput& input) {
  const replay::TraceTables& tables = input.tables();
  const std::string text = text_part(input);
  PackedHeader header{};
  std::string packed(sizeof(header), '\0');
  append(packed, tables.gfps.data(), tables.gfps.size());
  append(packed, tables.caches.data(), tables.caches.size());
  packed += text;
  for (auto block = input.next_block(); !block.empty(); block = input.next_block()) {
    append(packed, block.data(), block.size());
  }
  input.require_whole();

  std::ranges::copy(PackedHeader::kMagic, header.magic);
  header.version = PackedHeader::kVersion;
  header.header_bytes = sizeof(header);
  header.total_bytes = packed.size();
  header.events = tables.events;
  header.duration_ns = input.duration_ns();
  header.slots = tables.slots;
  header.live_end = tables.live_end;
  header.has_live_end = tables.has_live_end ? 1 : 0;
  header.cpus = tables.cpus;
  header.gfps = static_cast<uint32_t>(tables.gfps.size());
  header.caches = static_cast<uint32_t>(tables.caches.size());
  header.text_bytes = static_cast<uint32_t>(text.size());
  std::memcpy(packed.data(), &header, sizeof(header));
  replay::PackedChecksum sum;
  sum.add({reinterpret_cast<const uint8_t*>(packed.data()) + replay::kChecksummedFrom,
           packed.size() - replay::kChecksummedFrom});
  header.checksum = sum.value();
  std::memcpy(packed.data(), &header, sizeof(header));
  return packed;
}

}  // namespace quarry::tool
