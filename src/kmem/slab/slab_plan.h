// SPDX-License-Identifier: MIT
#pragma once

// How SLAB cuts the slabs of a cache, as pure arithmetic: Linux 6.1's.

#include <cstdint>
#include <type_traits>

#include "kmem/kmem_cache.h"
#include "kmem/size_classes.h"

namespace quarry {

// Below this, objects of a page could be more than a byte counts.
inline constexpr uint32_t kSlabMinObjectBytes = 16;
// The element of a free list: the number of an object in its slab.
using SlabIndex = std::conditional_t<(kPageBytes >> 8) <= kSlabMinObjectBytes, uint8_t, uint16_t>;
inline constexpr uint32_t kMaxSlabObjects = (1u << 8 * sizeof(SlabIndex)) - 1;
// kmalloc's smallest cache: there is no kmalloc-8 and no kmalloc-16.
inline constexpr unsigned kMinSlabClass = size_class(32);

// Flags that SLAB acts on when it looks for misuse.
inline constexpr uint32_t kSlabCheckFlags =
    QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_POISON | QUARRY_SLAB_STORE_USER;

// Where the free list of a slab lies.
enum class FreelistPlace : uint8_t {
  kObject,   // in one of the slab's free objects (Linux: OBJFREELIST_SLAB)
  kOffSlab,  // in an object of kmalloc (OFF_SLAB)
  kOnSlab,   // at the end of the slab
};

// What is known of a cache before it is cut.
struct SlabRequest {
  uint32_t object_bytes;
  uint32_t align;
  uint32_t flags;
  bool has_ctor;
};

// A slot is what one object takes up: red zone, object, red zone, last user, padding.
struct SlabPlan {
  uint32_t flags;  // less the checks that are impossible here
  uint32_t align;
  uint32_t object_bytes;
  uint32_t slot_bytes;
  uint32_t object_offset;  // in its slot
  FreelistPlace place;
  uint8_t order;
  uint16_t objects;       // 0: such objects cannot be made
  uint32_t colour_bytes;  // a slab's objects begin at a multiple of this,
  uint32_t colours;       // as many of them as this there are; 0 as 1
};

struct SlabCut {
  uint32_t objects = 0;
  uint8_t order = 0;
  uint32_t left = 0;  // bytes beyond the objects, and beyond the free list if it lies there
};

// Bytes of the kmalloc object that a free list takes up.
constexpr uint32_t freelist_object_bytes(uint32_t objects) {
  const unsigned c = size_class(objects * sizeof(SlabIndex));
  return kClassBytes[c < kMinSlabClass ? kMinSlabClass : c];
}

// The smallest order whose waste is at most an eighth, or the first from `max_order` on; for
// reclaimable objects the first at all, since their requests can rarely wait for a large block.
constexpr SlabCut cut_slab(const SlabRequest& request, uint32_t slot_bytes, FreelistPlace place,
                           unsigned max_order) {
  SlabCut cut;
  const auto unit =
      static_cast<uint32_t>(slot_bytes + (place == FreelistPlace::kOnSlab ? sizeof(SlabIndex) : 0));
  for (uint8_t order = 0; order <= kMaxOrder.value(); ++order) {
    const auto bytes = static_cast<uint32_t>(kPageBytes << order);
    const uint32_t objects = bytes / unit;
    if (objects == 0) continue;
    if (objects > kMaxSlabObjects) break;
    if (place == FreelistPlace::kOffSlab &&
        freelist_object_bytes(objects) > request.object_bytes / 2) {
      continue;  // the list would cost more than it saves
    }
    cut = {objects, order, bytes % unit};
    if ((request.flags & QUARRY_SLAB_RECLAIM_ACCOUNT) != 0 || order >= max_order ||
        cut.left * 8 <= bytes) {
      break;
    }
  }
  return cut;
}

// Whether a free list may lie there, and is worth it.
constexpr bool place_suits(const SlabRequest& request, FreelistPlace place, const SlabCut& cut) {
  const auto list_bytes = static_cast<uint32_t>(cut.objects * sizeof(SlabIndex));
  switch (place) {
    case FreelistPlace::kObject:
      // Free objects must keep their content, or are too small.
      return !request.has_ctor && (request.flags & QUARRY_SLAB_TYPESAFE_BY_RCU) == 0 &&
             list_bytes <= request.object_bytes;
    case FreelistPlace::kOffSlab:
      // A leak scan takes no objects for its own; and what fits into the rest needs no place else.
      return (request.flags & QUARRY_SLAB_NOLEAKTRACE) == 0 && cut.left < list_bytes;
    case FreelistPlace::kOnSlab:
      return true;
  }
  return false;
}

// Fills flags, align, slot_bytes and object_offset.
constexpr void lay_out_slot(const SlabRequest& request, SlabPlan& plan) {
  constexpr auto kWord = static_cast<uint32_t>(sizeof(void*));
  constexpr uint32_t kZone = sizeof(uint64_t);
  const auto has = [&](uint32_t flag) { return (plan.flags & flag) != 0; };
  plan.flags = request.flags;
  plan.object_bytes = request.object_bytes;
  if (has(QUARRY_SLAB_TYPESAFE_BY_RCU)) plan.flags &= ~QUARRY_SLAB_POISON;
  uint32_t bytes = round_up(request.object_bytes, kWord);
  plan.align = kWord;
  if (has(QUARRY_SLAB_RED_ZONE)) {
    bytes = round_up(bytes, kZone);
    plan.align = kZone;
  }
  if (plan.align < request.align) plan.align = request.align;
  // A red zone in front would move an object off its alignment.
  if (plan.align > kZone) plan.flags &= ~(QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_STORE_USER);
  if (has(QUARRY_SLAB_RED_ZONE)) bytes += 2 * kZone;
  if (has(QUARRY_SLAB_STORE_USER)) bytes += has(QUARRY_SLAB_RED_ZONE) ? kZone : kWord;
  plan.object_offset = has(QUARRY_SLAB_RED_ZONE) ? kZone : 0;
  plan.slot_bytes = round_up(bytes, plan.align);
  if (plan.slot_bytes < kSlabMinObjectBytes) {
    plan.slot_bytes = round_up(kSlabMinObjectBytes, plan.align);
  }
}

// `max_order`: slabs larger than that are made only for objects that need it.
constexpr SlabPlan plan_slab(const SlabRequest& request, unsigned max_order) {
  SlabPlan plan{};
  lay_out_slot(request, plan);
  plan.colour_bytes = plan.align < Arch::kCacheLineBytes ? Arch::kCacheLineBytes : plan.align;
  for (const FreelistPlace place :
       {FreelistPlace::kObject, FreelistPlace::kOffSlab, FreelistPlace::kOnSlab}) {
    const SlabCut cut = cut_slab(request, plan.slot_bytes, place, max_order);
    if (cut.objects == 0 || !place_suits(request, place, cut)) continue;
    plan.place = place;
    plan.order = cut.order;
    plan.objects = static_cast<uint16_t>(cut.objects);
    plan.colours = cut.left / plan.colour_bytes;
    break;
  }
  return plan;
}

// Objects that each CPU may hold.
constexpr uint32_t slab_array_limit(uint32_t slot_bytes, bool checked) {
  const uint32_t limit = slot_bytes > 131072       ? 1
                         : slot_bytes > kPageBytes ? 8
                         : slot_bytes > 1024       ? 24
                         : slot_bytes > 256        ? 54
                                                   : 120;
  return checked && limit > 32 ? 32 : limit;
}

// Objects of a node's shared array, in units of batchcount.
constexpr uint32_t slab_shared_factor(uint32_t slot_bytes, unsigned cpus) {
  return slot_bytes <= kPageBytes && cpus > 1 ? 8 : 0;
}

}  // namespace quarry
