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

Area* AreaMap::reuse(size_t bytes) {
  const size_t index = pool_index(bytes);
  if (index >= kMostPooledPages) return nullptr;
  LockGuard guard(lock_);
  Area* const area = pool_[index];
  if (area == nullptr) return nullptr;
  pool_[index] = area->next_unpurged;
  --unpurged_count_;
  area->state = AreaState::kBetween;
  return area;
}

bool AreaMap::keep(Area& area) {
  const size_t index = pool_index(area.bytes);
  if (index >= kMostPooledPages) return false;
  LockGuard guard(lock_);
  if (unpurged_count_ == kMostUnpurged) return false;
  area.next_unpurged = pool_[index];
  pool_[index] = &area;
  ++unpurged_count_;
  area.state = AreaState::kUnpurged;
  return true;
}

bool AreaMap::reserve(Area& area, size_t bytes, size_t align, Area* spare, Unused& unused) {
  LockGuard guard(lock_);
  const RangeTree::Taken taken = free_.take(bytes, align, spare);
  unused = taken.unused;
  if (!taken.found) return false;
  area.start = taken.start;
  area.bytes = bytes;
  areas_.insert(area);
  return true;
}

AreaMap::Unused AreaMap::give_back(Area& area) {
  LockGuard guard(lock_);
  areas_.erase(area);
  return free_.give(area);
}

void AreaMap::publish(Area& area) {
  LockGuard guard(lock_);
  area.state = AreaState::kUsed;
}

Area* AreaMap::withdraw(uintptr_t start, AreaKind kind, AreaKind or_kind) {
  LockGuard guard(lock_);
  auto* area = static_cast<Area*>(
      areas_.first_where([=](const AddressRange& range) { return range.start >= start; }));
  if (area == nullptr || area->start != start || area->state != AreaState::kUsed) return nullptr;
  if (area->kind != kind && area->kind != or_kind) return nullptr;
  area->state = AreaState::kBetween;
  return area;
}

const Area* AreaMap::find_locked(uintptr_t address) const {
  const auto* const area = static_cast<const Area*>(areas_.first_where(
      [=](const AddressRange& range) { return range.start + range.bytes > address; }));
  if (area == nullptr || area->start > address) return nullptr;
  return area->state == AreaState::kUsed ? area : nullptr;
}

const Area* AreaMap::next_locked(uintptr_t address) const {
  const auto* area = static_cast<const Area*>(
      areas_.first_where([=](const AddressRange& range) { return range.start >= address; }));
  while (area != nullptr && area->state == AreaState::kBetween) {
    area = static_cast<const Area*>(areas_.next(*area));
  }
  return area;
}

bool AreaMap::validate_locked(TextSink& out) const {
  if (!free_.validate() || !areas_.validate()) {
    format(out, "vmalloc: a tree of address ranges is broken\n");
    return false;
  }
  if (!validate_pools_locked(out)) return false;
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

bool AreaMap::validate_pools_locked(TextSink& out) const {
  size_t unpurged = 0;
  size_t between = 0;
  for (const AddressRange* range = areas_.first(); range != nullptr; range = areas_.next(*range)) {
    const AreaState state = static_cast<const Area*>(range)->state;
    unpurged += state == AreaState::kUnpurged ? 1 : 0;
    between += state == AreaState::kBetween ? 1 : 0;
  }
  size_t pooled = 0;
  for (size_t index = 0; index != kMostPooledPages; ++index) {
    for (const Area* area = pool_[index]; area != nullptr && pooled <= unpurged; ++pooled) {
      if (area->state != AreaState::kUnpurged || pool_index(area->bytes) != index) ++between;
      area = area->next_unpurged;
    }
  }
  if (between == 0 && pooled == unpurged && unpurged == unpurged_count_) return true;
  format(out, "vmalloc: %zu unpurged areas, %zu in pools, %u counted, %zu in a wrong state\n",
         unpurged, pooled, unpurged_count_, between);
  return false;
}

Area* AreaMap::dismantle() {
  LockGuard guard(lock_);
  AddressRange* const range = free_.first();
  if (range != nullptr) free_.remove(*range);
  return static_cast<Area*>(range);
}

}  // namespace quarry
