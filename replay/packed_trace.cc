// SPDX-License-Identifier: MIT
#include "replay/packed_trace.h"

#include "replay/event.h"

#include <quarry/bits.h>
#include <quarry/units.h>

namespace quarry::replay {

void PackedChecksum::add(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t count = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
    __builtin_memcpy(&word, bytes.data(), count);
    hash_.add(word);
    bytes = bytes.subspan(count);
  }
}

bool PackedTrace::has_magic(std::span<const uint8_t> bytes) {
  return bytes.size() >= sizeof(PackedHeader::kMagic) &&
         __builtin_memcmp(bytes.data(), PackedHeader::kMagic, sizeof(PackedHeader::kMagic)) == 0;
}

bool PackedTrace::open(std::span<const uint8_t> bytes) {
  if (!check_frame(bytes) || !find_parts(bytes)) return false;
  return check_tables();
}

// That it is a packed trace, whole and undamaged.
bool PackedTrace::check_frame(std::span<const uint8_t> bytes) {
  if (!has_magic(bytes)) return fail("not a packed trace");
  if (bytes.size() < sizeof(PackedHeader)) {
    return fail("the packed trace ends inside its header, after %zu bytes", bytes.size());
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint64_t) != 0) {
    return fail("the packed trace does not lie at a multiple of 8");
  }
  header_ = reinterpret_cast<const PackedHeader*>(bytes.data());
  if (header_->version != PackedHeader::kVersion || header_->header_bytes != sizeof(PackedHeader)) {
    return fail("a packed trace of version %u, only version %u can be read", header_->version,
                PackedHeader::kVersion);
  }
  if (header_->total_bytes != bytes.size()) {
    return fail("the packed trace has %zu bytes, but its header says %llu", bytes.size(),
                header_->total_bytes);
  }
  PackedChecksum sum;
  sum.add(bytes.subspan(kChecksummedFrom));
  if (sum.value() != header_->checksum) return fail("the packed trace is damaged: wrong checksum");
  return true;
}

bool PackedTrace::find_parts(std::span<const uint8_t> bytes) {
  const uint64_t tables_end = sizeof(PackedHeader) + uint64_t{header_->gfps} * sizeof(TraceGfp) +
                              uint64_t{header_->caches} * sizeof(TraceCache);
  const uint64_t text_end = tables_end + header_->text_bytes;
  if (text_end > bytes.size() || text_end % 8 != 0) {
    return fail("the packed trace has no room for its tables");
  }
  const auto* const gfps = reinterpret_cast<const TraceGfp*>(header_ + 1);
  const auto* const caches = reinterpret_cast<const TraceCache*>(gfps + header_->gfps);
  tables_ = {.cpus = header_->cpus,
             .events = header_->events,
             .slots = header_->slots,
             .has_live_end = header_->has_live_end != 0,
             .live_end = header_->live_end,
             .gfps = {gfps, header_->gfps},
             .caches = {caches, header_->caches}};
  title_ = reinterpret_cast<const char*>(caches + header_->caches);
  const char* const text_stop = title_ + header_->text_bytes;
  const auto after = [text_stop](const char* text) {
    while (text != text_stop && *text != '\0') ++text;
    return text;
  };
  const char* const title_end = after(title_);
  if (title_end == text_stop || after(title_end + 1) == text_stop) {
    return fail("the title or source of the packed trace does not end");
  }
  source_ = title_end + 1;
  events_ = bytes.subspan(static_cast<size_t>(text_end));
  return true;
}

bool PackedTrace::check_tables() {
  if (tables_.cpus == 0 || tables_.cpus > kMaxCpus) {
    return fail("a packed trace of %u CPUs", tables_.cpus);
  }
  if (tables_.caches.size() > kMaxCaches) {
    return fail("a packed trace of %zu caches", tables_.caches.size());
  }
  const SlotCounts& slots = tables_.slots;
  for (const uint32_t count : {slots.object, slots.page, slots.area, slots.percpu}) {
    if (count > kMaxSlots) return fail("a packed trace with %u slots of a kind", count);
  }
  for (const TraceGfp& gfp : tables_.gfps) {
    const int node = gfp.node.value();
    if (node < -1 || node >= static_cast<int>(kMaxNodes) || any(gfp.flags, ~gfp::kAllBits)) {
      return fail("a packed trace with gfp 0x%x on node %d", static_cast<uint32_t>(gfp.flags),
                  node);
    }
  }
  for (const TraceCache& cache : tables_.caches) {
    if (!check_cache(cache)) return false;
  }
  return true;
}

bool PackedTrace::check_cache(const TraceCache& cache) {
  if (cache.name[0] == '\0' || cache.name[sizeof(cache.name) - 1] != '\0') {
    return fail("a packed trace with a cache whose name does not end");
  }
  const bool sizes = cache.object_bytes >= 1 && cache.object_bytes <= cache.slot_bytes &&
                     cache.slot_bytes <= kMaxObjectBytes;
  const bool align =
      cache.align_bytes <= kPageBytes && (cache.align_bytes & (cache.align_bytes - 1)) == 0;
  if (sizes && align) return true;
  return fail("a packed trace with cache '%s' of %u bytes in %u, aligned to %u", cache.name,
              cache.object_bytes, cache.slot_bytes, cache.align_bytes);
}

std::span<const uint8_t> PackedTrace::next_block() {
  const auto block = events_;
  events_ = {};
  return block;
}

}  // namespace quarry::replay
