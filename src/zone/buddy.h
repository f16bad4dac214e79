// SPDX-License-Identifier: MIT
#pragma once

// The buddy system of one zone, over page descriptors it is handed.
//
// A block is 1 << order frames, aligned to its size. Its buddy is the block of the same order with
// which it makes up the block of the next order: pfn ^ (1 << order). Free blocks lie in lists, one
// for each order and migrate type, linked by frame number through the descriptor of their first
// page; descriptors inside a block are zero in all but the owner's words and are never touched.
//
// Invariants, checked by validate():
//   first page of a free block   BUDDY set, _refcount 0, order and list_type are those of its list
//   free_pages                   == sum over lists of (count << order)
//   nonempty bit o               <=> a list of order o that serves requests is not empty
//   two buddies                  are not both free with one order, unless they lie in pageblocks
//   that
//                                may not be merged (merges_across())
//   every pageblock has one migrate type. A free block lies in the list of its pageblock's type, or
//   in the list of a type that took it as fallback, both being one of the three that requests name.
//
// Splitting keeps the lower half and puts upper halves at the head of their lists, so that a run of
// allocations ascends. A freed block goes to the head as well, unless the block it would merge with
// next is free (then it waits at the tail for its buddy to be freed) or it is cold.
//
// Locking is the owner's. BuddyCounters may be read without the lock.

#include <atomic>

#include "base/text_sink.h"
#include "frame/page_map.h"
#include "quarry/units.h"

namespace quarry {

class FreshFrames;

// What watermark checks look at. Written under the zone's lock only, read by anyone.
struct BuddyCounters {
  std::atomic<long> free_pages{0};
  // Bit o: some free list of order o is not empty; of the types that requests name, of HIGHATOMIC.
  std::atomic<uint32_t> nonempty{0};
  std::atomic<uint32_t> nonempty_highatomic{0};
};

// Blocks of one order and migrate type. kNoPfn ends the links.
struct FreeList {
  Pfn first;
  Pfn last;
  uint32_t count;
};

// Blocks of one order, adjacent and ascending.
struct BlockRun {
  Pfn first;
  uint32_t count;
};

// Where a freed block enters its list.
enum class Placement : uint8_t { kLikelihood, kTail };

// Types that pageblocks may change between, and whose blocks may merge with each other.
constexpr bool is_mergeable(MigrateType type) { return type < MigrateType::kHighAtomic; }
constexpr bool merges_across(MigrateType a, MigrateType b) {
  return a == b || (is_mergeable(a) && is_mergeable(b));
}

class Buddy {
 public:
  // Serves frames of [start, end) whose pageblocks have this zone_id. All outlive this object.
  void init(PageMap& map, BuddyCounters& counters, uint8_t zone_id, Pfn start, Pfn end);

  // --- Frames in and out ---

  // Frees a block whose first page belongs to the caller and has no flags, and merges it upwards.
  void free(Pfn pfn, Order order, MigrateType type, Placement placement = Placement::kLikelihood);
  // Frees [begin, end) in the largest blocks that fit, lowest first, each to the tail of its list.
  void free_range(Pfn begin, Pfn end);
  // Up to `most` blocks, one behind the other, split from the first block of the lowest order that
  // has one of this type. They are what that many calls for one block would have taken as far as
  // that block goes. Their first pages are left without flags. No blocks: count is 0.
  BlockRun take_run(Order order, MigrateType type, uint32_t most);
  // One block; kNoPfn: none.
  Pfn take(Order order, MigrateType type) { return take_run(order, type, 1).first; }

  // --- Parts of fallback (fallback.h) ---

  const FreeList& list(Order order, MigrateType type) const {
    return list_[order.value()][static_cast<unsigned>(type)];
  }
  // Moves a free block to the tail of another type's list. A whole pageblock merges with its buddy
  // if the new type lets it.
  void move(Pfn pfn, MigrateType type);
  // Moves all free blocks inside pfn's pageblock; how many pages that were.
  uint32_t move_pageblock(Pfn pfn, MigrateType type);
  // False where the zone begins or ends inside pfn's pageblock.
  bool spans_pageblock(Pfn pfn) const;
  MigrateType pageblock_type(Pfn pfn) const { return map_->migratetype(pfn); }
  void set_pageblock_type(Pfn pfn, MigrateType type) { map_->set_migratetype(pfn, type); }

  // --- Queries ---

  long free_pages() const { return counters_->free_pages.load(std::memory_order_relaxed); }
  // Blocks of that order in all lists (Linux: free_area.nr_free).
  uint32_t count(Order order) const;
  // Calls `visit(Order, MigrateType, Pfn)`: by order, type, place in the list.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (uint8_t order = 0; order != kOrderCount; ++order) {
      for (uint8_t type = 0; type != kMigrateTypes; ++type) {
        for (Pfn pfn = list_[order][type].first; pfn != kNoPfn; pfn = next(pfn)) {
          visit(Order(order), MigrateType(type), pfn);
        }
      }
    }
  }
  // False: an invariant is broken, `sink` (unless null) says which. Pages inside free blocks are
  // not looked at where `fresh` (unless null) knows that nobody ever had them: where memory is
  // sparse, looking at their descriptors would fill it.
  bool validate(TextSink* sink, const FreshFrames* fresh = nullptr) const;

 private:
  Page& page(Pfn pfn) const { return *map_->page(pfn); }
  Pfn next(Pfn pfn) const { return Pfn(page(pfn).link_next); }

  void merge(Pfn pfn, Order order, MigrateType type, Placement placement);
  bool can_merge(Pfn buddy, Order order, MigrateType type) const;
  bool merge_is_likely(Pfn pfn, Order order) const;
  void link(Pfn pfn, Order order, MigrateType type, bool to_tail);
  void unlink(Pfn pfn);
  void note_list(Order order, MigrateType type);
  void add_free_pages(long pages);
  const char* flaw_of(Pfn pfn, Pfn prev, Order order, MigrateType type) const;
  bool is_empty_inside(Pfn pfn, Order order, const FreshFrames* fresh) const;
  bool validate_list(TextSink& out, Order order, MigrateType type, const FreshFrames* fresh) const;

  PageMap* map_ = nullptr;
  BuddyCounters* counters_ = nullptr;
  Pfn start_{};
  Pfn end_{};
  uint8_t zone_id_ = kNoZone;
  FreeList list_[kOrderCount][kMigrateTypes] = {};
};

}  // namespace quarry
