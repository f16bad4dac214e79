// SPDX-License-Identifier: MIT
#include "vmalloc/area_map.h"

namespace quarry {

void AreaMap::boot(uintptr_t start, uintptr_t end, Area& whole) {
  LockGuard guard(lock_);
  start_ = start;
  end_ = end;
  whole.start = start;
  whole.bytes = end - start;
  free_.give(whole);
}

bool AreaMap::reserve(Area& area, size_t bytes, size_t align, Area* spare, Unused& unused) {
  LockGuard guard(lock_);
  const RangeTree::Taken taken = free_.take(bytes, align, spare);
  unused = taken.unused;
  if (!taken.found) return false;
  area.start = taken.start;
  area.bytes = bytes;
  return true;
}

AreaMap::Unused AreaMap::give_back(Area& area) {
  LockGuard guard(lock_);
  return free_.give(area);
}

void AreaMap::publish(Area& area) {
  LockGuard guard(lock_);
  areas_.insert(area);
}

Area* AreaMap::withdraw(uintptr_t start, AreaKind kind, AreaKind or_kind) {
  LockGuard guard(lock_);
  auto* area = static_cast<Area*>(
      areas_.first_where([=](const AddressRange& range) { return range.start >= start; }));
  if (area == nullptr || area->start != start) return nullptr;
  if (area->kind != kind && area->kind != or_kind) return nullptr;
  areas_.erase(*area);
  return area;
}

const Area* AreaMap::find_locked(uintptr_t address) const {
  const AddressRange* const range = areas_.first_where(
      [=](const AddressRange& candidate) { return candidate.start + candidate.bytes > address; });
  return range != nullptr && range->start <= address ? static_cast<const Area*>(range) : nullptr;
}

const Area* AreaMap::next_locked(uintptr_t address) const {
  return static_cast<const Area*>(
      areas_.first_where([=](const AddressRange& range) { return range.start >= address; }));
}

bool AreaMap::validate_locked(TextSink& out) const {
  if (!free_.validate() || !areas_.validate()) {
    format(out, "vmalloc: a tree of address ranges is broken\n");
    return false;
  }
  const AddressRange* free = free_.first();
  const AddressRange* area = areas_.first();
  uintptr_t at = start_;
  while (free != nullptr || area != nullptr) {
    const bool is_free = area == nullptr || (free != nullptr && free->start < area->start);
    const AddressRange& range = is_free ? *free : *area;
    if (range.start != at) {
      format(out, "vmalloc: 0x%p is in no area and not free, or in two\n",
             reinterpret_cast<const void*>(at));
      return false;
    }
    at += range.bytes;
    (is_free ? free : area) = is_free ? free_.next(range) : areas_.next(range);
  }
  if (at == end_) return true;
  format(out, "vmalloc: the range does not end where it should\n");
  return false;
}

Area* AreaMap::dismantle() {
  LockGuard guard(lock_);
  AddressRange* const range = free_.first();
  if (range != nullptr) free_.remove(*range);
  return static_cast<Area*>(range);
}

}  // namespace quarry
