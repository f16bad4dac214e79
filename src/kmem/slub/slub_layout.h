// SPDX-License-Identifier: MIT
#pragma once

// What a slot of a slab holds besides its object (Linux 6.1: calculate_sizes, with 6.12's rule for
// what kmalloc was not asked for):
//
//   [left red zone] object [right red zone or padding] [link] [2 tracks] [asked] [padding]
//   slot            object_size                        inuse
//
//   left red zone    word, rounded up to the alignment: kmalloc stays naturally aligned
//   right red zone   what rounding to a word left, or a word
//   link             to the next free object, if it may not lie in the object
//   tracks           who allocated and who freed it last (STORE_USER)
//   asked            bytes that kmalloc was asked for, 32 bits (STORE_USER, kmalloc caches)
//   padding          at least a word with red zones, to the alignment; 0x5a with POISON

#include <cstdint>

#include "base/bits.h"
#include "kmem/kmem_cache.h"

namespace quarry {

// What a slab holds at most (Linux: MAX_OBJS_PER_PAGE).
inline constexpr uint32_t kMostSlabObjects = 32767;

constexpr uint32_t objects_in(size_t slab_bytes, uint32_t slot_bytes) {
  const auto count = static_cast<uint32_t>(slab_bytes / slot_bytes);
  return count < kMostSlabObjects ? count : kMostSlabObjects;
}

struct SlotLayout {
  uint32_t size;      // of the slot
  uint32_t red_left;  // bytes before the object
  uint32_t inuse;     // from here on offsets are from the object's first byte
  uint32_t free_pointer;
  uint32_t tracks;
  uint32_t asked;
  uint32_t padding;  // its begin; it ends where the next slot begins

  constexpr bool operator==(const SlotLayout&) const = default;
};

// Whether the object's own bytes are poisoned while it is free. Readers of a TYPESAFE_BY_RCU object
// may still look at it, and a constructed one has to keep its state.
constexpr bool poisons_objects(uint32_t flags, bool has_ctor) {
  return (flags & QUARRY_SLAB_POISON) != 0 && (flags & QUARRY_SLAB_TYPESAFE_BY_RCU) == 0 &&
         !has_ctor;
}

constexpr bool keeps_asked(uint32_t flags) {
  constexpr uint32_t kBoth = QUARRY_SLAB_STORE_USER | QUARRY_SLAB_KMALLOC;
  return (flags & kBoth) == kBoth;
}

// `word`: bytes of a pointer.
constexpr SlotLayout slot_layout(uint32_t object_size, uint32_t align, uint32_t flags,
                                 bool has_ctor, uint32_t word = sizeof(void*)) {
  const bool red_zones = (flags & QUARRY_SLAB_RED_ZONE) != 0;
  const bool users = (flags & QUARRY_SLAB_STORE_USER) != 0;
  const uint32_t track_bytes = word == 8 ? 32 : 20;
  SlotLayout layout{};
  layout.inuse = round_up(object_size, word);
  if (red_zones && layout.inuse == object_size) layout.inuse += word;
  const bool outside = has_ctor ||
                       (flags & (QUARRY_SLAB_TYPESAFE_BY_RCU | QUARRY_SLAB_POISON)) != 0 ||
                       (red_zones && (object_size < word || keeps_asked(flags)));
  // In the middle of a free object, where an overflow of its neighbour does not reach it.
  layout.free_pointer = outside ? layout.inuse : round_down(object_size / 2, word);
  layout.tracks = layout.inuse + (outside ? word : 0);
  layout.asked = layout.tracks + (users ? 2 * track_bytes : 0);
  layout.padding =
      layout.asked + (keeps_asked(flags) ? static_cast<uint32_t>(sizeof(uint32_t)) : 0);
  layout.red_left = red_zones ? round_up(word, align) : 0;
  layout.size = round_up(layout.padding + (red_zones ? word : 0) + layout.red_left, align);
  return layout;
}

inline SlotLayout slot_layout(const KmemCache& cache) {
  SlotLayout layout =
      slot_layout(cache.object_size, cache.align, cache.flags, cache.ctor != nullptr);
  // Merged caches may have made the objects larger, within their slots: the link stays.
  if (cache.size != 0) layout.free_pointer = cache.offset;
  return layout;
}

// The same without what debugging adds.
static_assert(slot_layout(64, 64, 0, false) == SlotLayout{64, 0, 64, 32, 64, 64, 64});
static_assert(slot_layout(20, 8, 0, true, 8) == SlotLayout{32, 0, 24, 24, 32, 32, 32});

}  // namespace quarry
