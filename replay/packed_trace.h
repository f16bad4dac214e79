// SPDX-License-Identifier: MIT
// A trace as one piece of bytes that can be read where it lies, also by a program without files: a
// kernel finds it in memory.
//
//   PackedHeader
//   TraceGfp[gfps]  TraceCache[caches]
//   title and source, each with a NUL, and zeros up to a multiple of 8
//   events (event_code.h)
//
// Numbers are little-endian, as on every machine that this runs on. What it does not have of a
// recording: time steps, call sites but for their class, Linux's page numbers.
#pragma once

#include <quarry/text_sink.h>

#include <bit>
#include <span>

#include "replay/event_source.h"
#include "replay/layout_hash.h"
#include "replay/trace_tables.h"

namespace quarry::replay {

struct PackedHeader {
  static constexpr char kMagic[8] = {'k', 'm', 'p', 'a', 'c', 'k', 'e', 'd'};
  static constexpr uint32_t kVersion = 1;

  char magic[8];
  uint32_t version;
  uint32_t header_bytes;
  uint64_t total_bytes;
  uint64_t checksum;  // of all that follows
  uint64_t events;
  uint64_t duration_ns;
  SlotCounts slots;
  SlotCounts live_end;
  uint32_t has_live_end;
  uint32_t cpus;
  uint32_t gfps;
  uint32_t caches;
  uint32_t text_bytes;  // of title and source, with what fills them up
  uint32_t reserved;    // 0
};

static_assert(sizeof(PackedHeader) == 104 && std::endian::native == std::endian::little);

// Over the bytes behind the checksum, eight at a time.
class PackedChecksum {
 public:
  // Pieces but the last are multiples of 8 bytes.
  void add(std::span<const uint8_t> bytes);
  uint64_t value() const { return hash_.value(); }

 private:
  LayoutHash hash_;
};

inline constexpr size_t kChecksummedFrom = offsetof(PackedHeader, checksum) + sizeof(uint64_t);

class PackedTrace final : public EventSource {
 public:
  // Reads what is around the events and checks the whole for damage. `bytes` lie at a multiple of 8
  // and must outlive this. False: error() says in one line why it is no packed trace.
  [[nodiscard]] bool open(std::span<const uint8_t> bytes);
  const char* error() const { return error_.c_str(); }

  static bool has_magic(std::span<const uint8_t> bytes);

  const TraceTables& tables() const { return tables_; }
  uint64_t duration_ns() const { return header_->duration_ns; }
  const char* title() const { return title_; }
  const char* source() const { return source_; }

  // All events as one block.
  std::span<const uint8_t> next_block() override;

 private:
  template <typename... Args>
  bool fail(std::type_identity_t<Pattern<Args...>> pattern, Args... args) {
    error_.clear();
    format(error_, pattern, args...);
    return false;
  }
  bool check_frame(std::span<const uint8_t> bytes);
  bool check_tables();
  bool check_cache(const TraceCache& cache);
  bool find_parts(std::span<const uint8_t> bytes);

  const PackedHeader* header_ = nullptr;
  TraceTables tables_;
  const char* title_ = "";
  const char* source_ = "";
  std::span<const uint8_t> events_;
  FixedText<160> error_;
};

}  // namespace quarry::replay
