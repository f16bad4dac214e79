// SPDX-License-Identifier: MIT
#include "kmem/slub/slub_report.h"

namespace quarry {

namespace {

constexpr char kThickLine[] =
    "=============================================================================";
constexpr char kThinLine[] =
    "-----------------------------------------------------------------------------";
static_assert(sizeof(kThickLine) == 78 && sizeof(kThinLine) == 78);

const void* last_of(Bytes bytes) { return &bytes.back(); }

}  // namespace

// True: nothing is to be said.
bool SlubReport::is_counted(const SlabView& view) {
  view.cache.errors.fetch_add(1, std::memory_order_relaxed);
  int* const counter = Arch::context().slab_errors;
  if (counter != nullptr) ++*counter;
  return counter != nullptr;
}

void SlubReport::head(TextSink& out, const SlabView& view, const char* what) {
  format(out, "%s\nBUG %s (", kThickLine, view.cache.name);
  reporter().print_taints(out);
  format(out, "): %s\n%s\n\n", what, kThinLine);
}

void SlubReport::end() {
  reporter().dump_stack();
  reporter().taint(Taint::kBadPage);
}

void SlubReport::show_slab(TextSink& out, const SlabView& view) {
  const SlabPage& slab = view.slab;
  format(out, "Slab 0x%p objects=%u used=%u fp=0x%p flags=%#x(slab%s|node=%u|zone=%u)\n",
         static_cast<const void*>(&slab), slab.objects, slab.inuse,
         static_cast<const void*>(slab.freelist), slab.flags, slab.order == 0 ? "" : "|head",
         slab.node, static_cast<unsigned>(pages_->zone_of(pages_->map().pfn(&slab)).type));
}

void SlubReport::show_tracks(TextSink& out, const SlabView& view, void* object) {
  if (!view.has(QUARRY_SLAB_STORE_USER)) return;
  print_track(out, reporter(), *depot_, "Allocated", view.track(object, TrackKind::kAlloc));
  print_track(out, reporter(), *depot_, "Freed", view.track(object, TrackKind::kFree));
}

void SlubReport::show_object(const SlabView& view, void* object) {
  LogText out(reporter().platform());
  const uint32_t object_bytes = view.cache.object_size;
  show_tracks(out, view, object);
  show_slab(out, view);
  format(out, "Object 0x%p @offset=%zu fp=0x%p\n\n", static_cast<const void*>(object),
         view.offset(object), static_cast<const void*>(view.link(object)));
  if (view.has(QUARRY_SLAB_RED_ZONE)) {
    const Bytes left = view.left_red_zone(object);
    dump_bytes(out, "Redzone  ", left.data(), left.size());
  } else if (view.offset(object) > 16) {
    dump_bytes(out, "Bytes b4 ", SlabView::at(object, 0) - 16, 16);
  }
  dump_bytes(out, "Object   ", object, object_bytes < kPageBytes ? object_bytes : kPageBytes);
  if (view.has(QUARRY_SLAB_RED_ZONE)) {
    const Bytes right = view.right_red_zone(object);
    dump_bytes(out, "Redzone  ", right.data(), right.size());
  }
  const Bytes padding = view.padding(object);
  dump_bytes(out, "Padding  ", padding.data(), padding.size());
}

void SlubReport::object_error(const SlabView& view, void* object, const char* what) {
  if (is_counted(view)) return;
  {
    LogText out(reporter().platform());
    head(out, view, what);
    if (!view.is_object(object)) {
      show_slab(out, view);
      format(out, "Invalid pointer 0x%p\n", static_cast<const void*>(object));
    }
  }
  if (view.is_object(object)) show_object(view, object);
  end();
}

void SlubReport::slab_error(const SlabView& view, const char* what) {
  if (is_counted(view)) return;
  {
    LogText out(reporter().platform());
    head(out, view, what);
    show_slab(out, view);
  }
  end();
}

void SlubReport::overwritten(const SlabView& view, void* object, const char* what, Bytes wrong,
                             uint8_t value) {
  if (is_counted(view)) return;
  {
    FixedText<48> text;
    format(text, "%s overwritten", what);
    LogText out(reporter().platform());
    head(out, view, text.c_str());
    format(out, "0x%p-0x%p @offset=%zu. First byte %#x instead of %#x\n",
           static_cast<const void*>(wrong.data()), last_of(wrong), view.offset(wrong.data()),
           wrong.front(), value);
  }
  show_object(view, object);
  end();
}

void SlubReport::padding_overwritten(const SlabView& view, Bytes wrong) {
  FixedText<128> text;
  format(text, "Padding overwritten. 0x%p-0x%p @offset=%zu", static_cast<const void*>(wrong.data()),
         last_of(wrong), view.offset(wrong.data()));
  slab_error(view, text.c_str());
  if (Arch::context().slab_errors != nullptr) return;
  LogText out(reporter().platform());
  const Bytes all = view.remainder();
  dump_bytes(out, "Padding ", all.data(), all.size());
}

void SlubReport::fix(const SlabView& view, const char* what) {
  if (is_counted(view)) return;
  LogText out(reporter().platform());
  format(out, "FIX %s: %s\n", view.cache.name, what);
}

void SlubReport::leftover(const SlabView& view, void* object) {
  if (is_counted(view)) return;
  LogText out(reporter().platform());
  format(out, "Object 0x%p @offset=%zu\n", static_cast<const void*>(object), view.offset(object));
  show_tracks(out, view, object);
}

void SlubReport::trace(const SlabView& view, void* object, TrackKind kind) {
  {
    LogText out(reporter().platform());
    const bool allocated = kind == TrackKind::kAlloc;
    format(out, "TRACE %s %s 0x%p inuse=%u fp=0x%p\n", view.cache.name,
           allocated ? "alloc" : "free", static_cast<const void*>(object), view.slab.inuse,
           static_cast<const void*>(view.slab.freelist));
    if (!allocated) dump_bytes(out, "Object ", object, view.cache.object_size);
  }
  reporter().dump_stack();
}

}  // namespace quarry
