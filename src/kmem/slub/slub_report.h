// SPDX-License-Identifier: MIT
#pragma once

// What SLUB says about slabs and objects that are not as they should be, in Linux's words and
// order: what is wrong, who had the object, the slab, the object and the bytes around it, the
// stack; and what was done about it ("FIX ...").
//
// A thread that counts errors (quarry_context::slab_errors) is told nothing: each report and each
// fix counts there instead, as KUnit has it.

#include "kmem/slub/slab_view.h"
#include "zone/page_allocator.h"

namespace quarry {

class SlubReport {
 public:
  void init(PageAllocator& pages, const StackDepot& depot) {
    pages_ = &pages;
    depot_ = &depot;
  }
  Reporter& reporter() const { return pages_->reporter(); }

  void object_error(const SlabView& view, void* object, const char* what);
  void slab_error(const SlabView& view, const char* what);
  // Bytes that belong to `object` and are not `value`.
  void overwritten(const SlabView& view, void* object, const char* what, Bytes wrong,
                   uint8_t value);
  // Bytes behind the last slot.
  void padding_overwritten(const SlabView& view, Bytes wrong);
  void fix(const SlabView& view, const char* what);
  // Of an object that nobody freed.
  void leftover(const SlabView& view, void* object);
  // TRACE: not an error.
  void trace(const SlabView& view, void* object, TrackKind kind);
  // Who had the object, where that is recorded.
  void show_tracks(TextSink& out, const SlabView& view, void* object);

 private:
  static bool is_counted(const SlabView& view);
  void head(TextSink& out, const SlabView& view, const char* what);
  void show_slab(TextSink& out, const SlabView& view);
  void show_object(const SlabView& view, void* object);
  void end();

  PageAllocator* pages_ = nullptr;
  const StackDepot* depot_ = nullptr;
};

}  // namespace quarry
