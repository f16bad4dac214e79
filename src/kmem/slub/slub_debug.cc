// SPDX-License-Identifier: MIT
#include "kmem/slub/slub_debug.h"

namespace quarry {

namespace {

// Of the slab's first page: some of its objects are neither in use nor in the free list.
constexpr uint32_t kLeftAlone = 1U << QUARRY_PAGE_OWNER_SHIFT;

}  // namespace

void SlubDebug::leave_alone(SlabPage& slab) {
  slab.freelist = nullptr;
  slab.inuse = slab.objects;
  add_flags(slab, kLeftAlone);
}

bool SlubDebug::is_left_alone(const SlabPage& slab) { return has_flag(slab, kLeftAlone); }

Backtrace SlubDebug::backtrace_for(const KmemCache& cache, uintptr_t place) const {
  if ((cache.flags & QUARRY_SLAB_STORE_USER) == 0) return {};
  return backtrace_from(pages_->platform(), place);
}

// Red zones, and poison where the user may not see what was there: `red` says whether the object is
// in use.
void SlubDebug::write_object(const SlabView& view, void* object, uint8_t red) {
  unsigned char* const begin = SlabView::at(object, 0);
  const bool red_zones = view.has(QUARRY_SLAB_RED_ZONE);
  // What kmalloc was not asked for belongs to the red zone while the object is in use.
  const uint32_t bytes =
      red_zones && red == kRedActive ? view.asked(object) : view.cache.object_size;
  if (red_zones) fill(view.left_red_zone(object), red);
  if (poisons_objects(view.cache.flags, view.cache.ctor != nullptr)) {
    fill({begin, bytes - 1}, kPoisonFree);
    begin[bytes - 1] = kPoisonEnd;
  }
  if (red_zones) fill({begin + bytes, view.layout.inuse - bytes}, red);
}

void SlubDebug::prepare(const SlabView& view) {
  if (view.has(QUARRY_SLAB_POISON)) fill({view.base, view.bytes()}, kPoisonInUse);
  void* next = nullptr;
  for (uint32_t i = view.slab.objects; i-- != 0;) {
    void* const object = view.object(i);
    write_object(view, object, kRedInactive);
    if (view.has(QUARRY_SLAB_STORE_USER)) {
      view.track(object, TrackKind::kAlloc) = view.track(object, TrackKind::kFree) = {};
    }
    view.set_asked(object, view.cache.object_size);
    view.set_link(object, next);
    next = object;
  }
  view.slab.freelist = next;
  view.slab.inuse = 0;
  if (view.has(QUARRY_SLAB_STORE_USER)) hold_backtraces();
  if (view.cache.ctor == nullptr) return;
  for (uint32_t i = 0; i != view.slab.objects; ++i) view.cache.ctor(view.object(i));
}

void SlubDebug::retire(const SlabView& view) {
  if (view.has(QUARRY_SLAB_CONSISTENCY_CHECKS)) {
    check_remainder(view);
    for (uint32_t i = 0; i != view.slab.objects; ++i) {
      check_object(view, view.object(i), kRedInactive);
    }
  }
  drop_flags(view.slab, kLeftAlone);
  if (view.has(QUARRY_SLAB_STORE_USER)) release_backtraces();
}

void SlubDebug::release_backtraces() {
  depot_.release([this](void* pool) { pages_->free(pages_->map().page_at(pool), Order{2}); });
}

// The backtrace's handle, or 0.
uint32_t SlubDebug::save(const Backtrace& backtrace) {
  static_assert(StackDepot::kPoolBytes == kPageBytes << 2);
  if (const uint32_t handle = depot_.save(backtrace.frames())) return handle;
  Page* page = pages_->alloc(gfp::kNoWait | gfp::kNoWarn, Order{2});
  if (page == nullptr) return 0;
  if (!depot_.add_pool(pages_->map().address(page))) {
    pages_->free(page, Order{2});
    return 0;
  }
  return depot_.save(backtrace.frames());
}

void SlubDebug::write_track(const SlabView& view, void* object, TrackKind kind, uintptr_t place,
                            const Backtrace& backtrace) {
  const Platform& platform = pages_->platform();
  view.track(object, kind) = {.place = place,
                              .stack = save(backtrace),
                              .cpu = static_cast<int32_t>(platform.current_cpu().value()),
                              .task = platform.task_id(),
                              .when = jiffies(platform)};
}

void* SlubDebug::take(const SlabView& view, const ObjectRequest& request,
                      const Backtrace& backtrace) {
  SlabPage& slab = view.slab;
  void* const object = slab.freelist;
  ++slab.inuse;
  if (!may_take(view, object)) {
    report_.fix(view, "Marking all objects used");
    leave_alone(slab);
    return nullptr;
  }
  slab.freelist = view.link(object);
  if (view.has(QUARRY_SLAB_STORE_USER)) {
    write_track(view, object, TrackKind::kAlloc, request.place, backtrace);
  }
  if (view.has(QUARRY_SLAB_TRACE)) report_.trace(view, object, TrackKind::kAlloc);
  view.set_asked(object, request.bytes == 0 ? view.cache.object_size : request.bytes);
  write_object(view, object, kRedActive);
  return object;
}

bool SlubDebug::put(const SlabView& view, void* object, uintptr_t place,
                    const Backtrace& backtrace) {
  if (!may_put(view, object)) {
    FixedText<64> text;
    format(text, "Object at 0x%p not freed", static_cast<const void*>(object));
    report_.fix(view, text.c_str());
    return false;
  }
  if (view.has(QUARRY_SLAB_STORE_USER)) {
    write_track(view, object, TrackKind::kFree, place, backtrace);
  }
  if (view.has(QUARRY_SLAB_TRACE)) report_.trace(view, object, TrackKind::kFree);
  write_object(view, object, kRedInactive);
  view.set_link(object, view.slab.freelist);
  view.slab.freelist = object;
  --view.slab.inuse;
  return true;
}

void SlubDebug::list_objects(const SlabView& view, const char* what) {
  report_.slab_error(view, what);
  const FreeObjects free(view);
  for (uint32_t i = 0; i != view.slab.objects; ++i) {
    if (!free.has(i)) report_.leftover(view, view.object(i));
  }
}

}  // namespace quarry
