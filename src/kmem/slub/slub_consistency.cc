// SPDX-License-Identifier: MIT

// What a slab and its objects should look like. Each check repairs what it reports.

#include "kmem/slub/slub_debug.h"

namespace quarry {

bool SlubDebug::check_bytes(const SlabView& view, void* object, const char* what, Bytes bytes,
                            uint8_t value) {
  const Bytes wrong = bytes_other_than(bytes, value);
  if (wrong.empty()) return true;
  report_.overwritten(view, object, what, wrong, value);
  FixedText<96> text;
  format(text, "Restoring %s 0x%p-0x%p=%#x", what, static_cast<const void*>(wrong.data()),
         static_cast<const void*>(&wrong.back()), value);
  report_.fix(view, text.c_str());
  fill(wrong, value);
  return false;
}

void SlubDebug::check_remainder(const SlabView& view) {
  if (!view.has(QUARRY_SLAB_POISON)) return;
  const Bytes wrong = bytes_other_than(view.remainder(), kPoisonInUse);
  if (wrong.empty()) return;
  report_.padding_overwritten(view, wrong);
  FixedText<96> text;
  format(text, "Restoring slab padding 0x%p-0x%p=%#x", static_cast<const void*>(wrong.data()),
         static_cast<const void*>(&wrong.back()), kPoisonInUse);
  report_.fix(view, text.c_str());
  fill(wrong, kPoisonInUse);
}

bool SlubDebug::check_slab(const SlabView& view) {
  const SlabPage& slab = view.slab;
  FixedText<48> text;
  if (slab.objects > view.most_objects()) {
    format(text, "objects %u > max %u", slab.objects, view.most_objects());
  } else if (slab.inuse > slab.objects) {
    format(text, "inuse %u > max %u", slab.inuse, slab.objects);
  } else {
    check_remainder(view);
    return true;
  }
  report_.slab_error(view, text.c_str());
  return false;
}

// The link of `last`, or the slab's first where that is null, leads nowhere. False: nothing is left
// of the list.
bool SlubDebug::cut_freelist(const SlabView& view, void* last) {
  if (last != nullptr) {
    report_.object_error(view, last, "Freechain corrupt");
    view.set_link(last, nullptr);
    return true;
  }
  report_.slab_error(view, "Freepointer corrupt");
  leave_alone(view.slab);
  report_.fix(view, "Freelist cleared");
  return false;
}

void SlubDebug::check_counts(const SlabView& view, uint32_t free_objects) {
  SlabPage& slab = view.slab;
  FixedText<80> text;
  if (slab.objects != view.most_objects()) {
    format(text, "Wrong number of objects. Found %u but should be %u", slab.objects,
           view.most_objects());
    report_.slab_error(view, text.c_str());
    slab.objects = static_cast<uint16_t>(view.most_objects());
    report_.fix(view, "Number of objects adjusted");
    text.clear();
  }
  const auto counted = static_cast<uint16_t>(slab.objects - free_objects);
  if (slab.inuse == counted) return;
  format(text, "Wrong object count. Counter is %u but counted were %u", slab.inuse, counted);
  report_.slab_error(view, text.c_str());
  slab.inuse = counted;
  report_.fix(view, "Object count adjusted");
}

// Walks the list up to `wanted`, whose finding is the answer; null: all of it, and the answer is
// whether it is one.
bool SlubDebug::is_on_freelist(const SlabView& view, const void* wanted) {
  const SlabPage& slab = view.slab;
  uint32_t count = 0;
  void* last = nullptr;
  void* object = slab.freelist;
  while (object != nullptr && count <= slab.objects) {
    if (object == wanted) return true;
    if (!view.is_object(object)) {
      if (!cut_freelist(view, last)) return false;
      break;
    }
    last = object;
    object = view.link(object);
    ++count;
  }
  check_counts(view, count);
  return wanted == nullptr;
}

bool SlubDebug::check_red_zones(const SlabView& view, void* object, uint8_t red) {
  if (!check_bytes(view, object, "Left Redzone", view.left_red_zone(object), red) ||
      !check_bytes(view, object, "Right Redzone", view.right_red_zone(object), red)) {
    return false;
  }
  if (red != kRedActive) return true;
  const uint32_t asked = view.asked(object);
  return check_bytes(view, object, "kmalloc Redzone",
                     {SlabView::at(object, asked), view.cache.object_size - asked}, red);
}

bool SlubDebug::check_poison(const SlabView& view, void* object, uint8_t red) {
  const uint32_t size = view.cache.object_size;
  if (red != kRedActive && poisons_objects(view.cache.flags, view.cache.ctor != nullptr) &&
      (!check_bytes(view, object, "Poison", {SlabView::at(object, 0), size - 1}, kPoisonFree) ||
       !check_bytes(view, object, "End Poison", {SlabView::at(object, size - 1), 1}, kPoisonEnd))) {
    return false;
  }
  check_bytes(view, object, "Object padding", view.padding(object), kPoisonInUse);
  return true;
}

// `red` says whether it should be in use.
bool SlubDebug::check_object(const SlabView& view, void* object, uint8_t red) {
  if (view.has(QUARRY_SLAB_RED_ZONE)) {
    if (!check_red_zones(view, object, red)) return false;
  } else if (view.has(QUARRY_SLAB_POISON)) {
    check_bytes(view, object, "Alignment padding", view.right_red_zone(object), kPoisonInUse);
  }
  if (view.has(QUARRY_SLAB_POISON) && !check_poison(view, object, red)) return false;
  // The link of an object in use may lie where its user writes.
  if (red == kRedActive && !view.link_is_outside()) return true;
  const void* link = view.link(object);
  if (link == nullptr || view.is_object(link)) return true;
  report_.object_error(view, object, "Freepointer corrupt");
  view.set_link(object, nullptr);
  return false;
}

bool SlubDebug::may_take(const SlabView& view, void* object) {
  const bool checks = view.has(QUARRY_SLAB_CONSISTENCY_CHECKS);
  if (checks && !check_slab(view)) return false;
  if (!view.is_object(object)) {
    report_.object_error(view, object, "Freelist Pointer check fails");
    return false;
  }
  return !checks || check_object(view, object, kRedInactive);
}

bool SlubDebug::may_put(const SlabView& view, void* object) {
  const bool checks = view.has(QUARRY_SLAB_CONSISTENCY_CHECKS);
  if (checks && !check_slab(view)) return false;
  if (!view.is_object(object)) {
    FixedText<64> text;
    format(text, "Invalid object pointer 0x%p", static_cast<const void*>(object));
    report_.slab_error(view, text.c_str());
    return false;
  }
  if (checks ? is_on_freelist(view, object) : object == view.slab.freelist) {
    report_.object_error(view, object, "Object already free");
    return false;
  }
  if (view.slab.inuse == 0) {
    report_.slab_error(view, "Slab has 0 allocated objects but 1 are to be freed");
    return false;
  }
  return !checks || check_object(view, object, kRedActive);
}

void SlubDebug::check(const SlabView& view) {
  if (!check_slab(view) || !is_on_freelist(view, nullptr)) return;
  if (is_left_alone(view.slab)) return;
  const FreeObjects free(view);
  for (uint32_t i = 0; i != view.slab.objects; ++i) {
    if (!check_object(view, view.object(i), free.has(i) ? kRedInactive : kRedActive)) return;
  }
}

}  // namespace quarry
