// SPDX-License-Identifier: MIT
#pragma once

// Slabs of caches with flags of debugging (QUARRY_SLAB_DEBUG_FLAGS): what is written into their
// slots (slub_layout.h), and how it is found that somebody else wrote there too. Such caches have
// no per-CPU arrays, so every object comes and goes through here.
//
//   CONSISTENCY_CHECKS   at each alloc and free, and when a slab is given back, everything below
//                        is checked, and the free list walked
//   RED_ZONE             bytes around an object say whether it is in use
//   POISON               so do the bytes of a free object; padding has a value too
//   STORE_USER           tracks; all slabs are in a list, full ones too
//   TRACE                each alloc and free is logged
//
// An error is reported and repaired, so that it is found once: overwritten bytes are restored, a
// broken free list is cut, wrong counts are set right. A slab in which an object cannot be handed
// out is left alone ("Marking all objects used"), an object that cannot be freed stays as it is.
//
// A pointer that is no object of its slab is never followed or written to, whatever the flags.
//
// Locks: all calls about a slab are made under the lock of its node. They may change its counts and
// free list; the caller then has to move it to the list where it belongs.

#include "kmem/slab_engine.h"
#include "kmem/slub/slub_options.h"
#include "kmem/slub/slub_report.h"

namespace quarry {

inline bool is_debugged(const KmemCache& cache) {
  return (cache.flags & QUARRY_SLAB_DEBUG_FLAGS) != 0;
}
// Full slabs are in a list too.
inline bool lists_full_slabs(const KmemCache& cache) {
  return (cache.flags & QUARRY_SLAB_STORE_USER) != 0;
}

class SlubDebug {
 public:
  void init(PageAllocator& pages) {
    pages_ = &pages;
    report_.init(pages, depot_);
  }
  SlubOptions& options() { return options_; }
  const SlubOptions& options() const { return options_; }
  const StackDepot& depot() const { return depot_; }
  // Backtraces stay while somebody holds them; a slab with tracks does.
  void hold_backtraces() { depot_.hold(); }
  void release_backtraces();

  // Who allocates or frees, for STORE_USER; to be asked for without a lock.
  Backtrace backtrace_for(const KmemCache& cache, uintptr_t place) const;

  // Makes all objects of a new slab free ones.
  void prepare(const SlabView& view);
  // Before the slab of free objects is given back.
  void retire(const SlabView& view);

  // The first free object, now in use. Null: there is none to be had from this slab, all of which
  // counts as in use.
  void* take(const SlabView& view, const ObjectRequest& request, const Backtrace& backtrace);
  // False: it is none that could be freed.
  bool put(const SlabView& view, void* object, uintptr_t place, const Backtrace& backtrace);

  // The slab and all its objects; none of those that were lost in a slab that is left alone.
  void check(const SlabView& view);
  // Reports the slab and those of its objects that are in use. `what` as in "BUG name: what".
  void list_objects(const SlabView& view, const char* what);
  void show_tracks(TextSink& out, const SlabView& view, void* object) {
    report_.show_tracks(out, view, object);
  }

 private:
  // slub_consistency.cc
  bool may_take(const SlabView& view, void* object);
  bool may_put(const SlabView& view, void* object);
  bool check_slab(const SlabView& view);
  void check_remainder(const SlabView& view);
  bool is_on_freelist(const SlabView& view, const void* wanted);
  bool cut_freelist(const SlabView& view, void* last);
  void check_counts(const SlabView& view, uint32_t free_objects);
  bool check_object(const SlabView& view, void* object, uint8_t red);
  bool check_red_zones(const SlabView& view, void* object, uint8_t red);
  bool check_poison(const SlabView& view, void* object, uint8_t red);
  bool check_bytes(const SlabView& view, void* object, const char* what, Bytes bytes,
                   uint8_t value);

  static void leave_alone(SlabPage& slab);
  static bool is_left_alone(const SlabPage& slab);
  static void write_object(const SlabView& view, void* object, uint8_t red);
  void write_track(const SlabView& view, void* object, TrackKind kind, uintptr_t place,
                   const Backtrace& backtrace);
  uint32_t save(const Backtrace& backtrace);

  PageAllocator* pages_ = nullptr;
  SlubOptions options_;
  StackDepot depot_;
  SlubReport report_;
};

}  // namespace quarry
