// SPDX-License-Identifier: MIT
#pragma once

// A slab of a cache that is debugged, under the lock of its node: where everything lies in it.

#include "check/byte_range.h"
#include "check/track.h"
#include "frame/page_map.h"
#include "kmem/slab_engine.h"
#include "kmem/slub/free_links.h"
#include "kmem/slub/slub_layout.h"

namespace quarry {

struct SlabView {
  KmemCache& cache;
  SlabPage& slab;
  unsigned char* base;
  SlotLayout layout;

  SlabView(KmemCache& of_cache, SlabPage& of_slab, const PageMap& map)
      : cache(of_cache),
        slab(of_slab),
        base(static_cast<unsigned char*>(map.address(&of_slab))),
        layout(slot_layout(of_cache)) {}

  bool has(uint32_t flag) const { return (cache.flags & flag) != 0; }
  size_t bytes() const { return kPageBytes << slab.order; }
  uint32_t most_objects() const { return objects_in(bytes(), layout.size); }

  void* object(uint32_t index) const {
    return base + index * size_t{layout.size} + layout.red_left;
  }
  size_t offset(const void* address) const {
    return static_cast<size_t>(static_cast<const unsigned char*>(address) - base);
  }
  uint32_t index(const void* object) const {
    return static_cast<uint32_t>(offset(object)) / layout.size;
  }
  // Null is none.
  bool is_object(const void* address) const {
    const size_t slot = offset(address) - layout.red_left;
    return slot < slab.objects * size_t{layout.size} && slot % layout.size == 0;
  }

  // Parts of a slot, from the first byte of its object.
  static unsigned char* at(void* object, size_t offset) {
    return static_cast<unsigned char*>(object) + offset;
  }
  void* link(void* object) const { return load_link(cache, object); }
  void set_link(void* object, void* next) const { store_link(cache, object, next); }
  bool link_is_outside() const { return layout.free_pointer >= layout.inuse; }
  Track& track(void* object, TrackKind kind) const {
    return reinterpret_cast<Track*>(at(object, layout.tracks))[static_cast<unsigned>(kind)];
  }
  // What kmalloc was asked for; the whole object where that is not kept, or was overwritten.
  uint32_t asked(void* object) const {
    const uint32_t size = cache.object_size;
    return keeps_asked(cache.flags) && *asked_word(object) < size ? *asked_word(object) : size;
  }
  uint32_t* asked_word(void* object) const {
    return reinterpret_cast<uint32_t*>(at(object, layout.asked));
  }
  void set_asked(void* object, size_t count) const {
    if (keeps_asked(cache.flags)) *asked_word(object) = static_cast<uint32_t>(count);
  }
  Bytes left_red_zone(void* object) const {
    return {at(object, 0) - layout.red_left, layout.red_left};
  }
  Bytes right_red_zone(void* object) const {
    return {at(object, cache.object_size), layout.inuse - cache.object_size};
  }
  Bytes padding(void* object) const {
    return {at(object, layout.padding), layout.size - layout.red_left - layout.padding};
  }
  // Behind the last slot.
  Bytes remainder() const {
    const size_t bytes_left = bytes() % layout.size;
    return {base + bytes() - bytes_left, bytes_left};
  }
};

// Which objects of a slab are free, by its free list; that has been checked.
class FreeObjects {
 public:
  explicit FreeObjects(const SlabView& view) {
    QUARRY_ASSERT(view.slab.objects <= kMostSlabObjects);
    for (uint32_t i = 0; i < view.slab.objects; i += 32) word_[i / 32] = 0;
    for (void* object = view.slab.freelist; view.is_object(object); object = view.link(object)) {
      const uint32_t index = view.index(object);
      word_[index / 32] |= 1U << index % 32;
    }
  }
  bool has(uint32_t index) const { return (word_[index / 32] >> index % 32 & 1) != 0; }

 private:
  uint32_t word_[(kMostSlabObjects + 31) / 32];
};

}  // namespace quarry
