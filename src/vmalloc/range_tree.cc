// SPDX-License-Identifier: MIT
#include "vmalloc/range_tree.h"

#include "base/bits.h"

namespace quarry {
namespace {

// Null counts as an empty subtree.
bool holds(const AddressRange* subtree, size_t bytes) {
  return subtree != nullptr && subtree->largest >= bytes;
}

}  // namespace

bool RangeTree::Traits::recompute(AddressRange& range, const AddressRange* left,
                                  const AddressRange* right) {
  size_t largest = range.bytes;
  if (left != nullptr && left->largest > largest) largest = left->largest;
  if (right != nullptr && right->largest > largest) largest = right->largest;
  const bool changed = range.largest != largest;
  range.largest = largest;
  return changed;
}

AddressRange* RangeTree::leftmost_fit(AddressRange* subtree, size_t bytes) const {
  if (!holds(subtree, bytes)) return nullptr;
  AddressRange* range = subtree;
  for (;;) {
    AddressRange* const left = tree_.left(*range);
    if (holds(left, bytes)) {
      range = left;
    } else if (range->bytes >= bytes) {
      return range;
    } else {
      range = tree_.right(*range);  // one of the three has it
    }
  }
}

// The first range behind `after` that is large enough.
AddressRange* RangeTree::next_fit(const AddressRange& after, size_t bytes) const {
  AddressRange* candidate = nullptr;  // it or its right subtree has a fit, all lower ones have none
  for (AddressRange* range = tree_.root(); range != nullptr;) {
    if (range->start <= after.start) {
      range = tree_.right(*range);
      continue;
    }
    if (range->bytes >= bytes || holds(tree_.right(*range), bytes)) candidate = range;
    range = tree_.left(*range);
  }
  if (candidate == nullptr || candidate->bytes >= bytes) return candidate;
  return leftmost_fit(tree_.right(*candidate), bytes);
}

RangeTree::Taken RangeTree::take(size_t bytes, size_t align, AddressRange* spare) {
  AddressRange* range = leftmost_fit(tree_.root(), bytes);
  for (; range != nullptr; range = next_fit(*range, bytes)) {
    const uintptr_t start = round_up(range->start, align);
    const size_t skipped = start - range->start;
    // The start wraps to 0 behind the last multiple of `align`.
    if (start >= range->start && range->bytes >= skipped && range->bytes - skipped >= bytes) {
      return cut(*range, start, bytes, spare);
    }
  }
  return {.found = false, .start = 0, .unused = {{spare}}};
}

RangeTree::Taken RangeTree::cut(AddressRange& range, uintptr_t start, size_t bytes,
                                AddressRange* spare) {
  const size_t before = start - range.start;
  const size_t behind = range.bytes - before - bytes;
  free_bytes_ -= bytes;
  if (before == 0 && behind == 0) {
    tree_.erase(range);
    return {.found = true, .start = start, .unused = {{&range, spare}}};
  }
  if (before == 0) {
    range.start += bytes;  // the order stays: nothing lies between
    range.bytes = behind;
  } else {
    range.bytes = before;
  }
  tree_.update(range);
  if (before == 0 || behind == 0) return {.found = true, .start = start, .unused = {{spare}}};
  QUARRY_CHECK(spare != nullptr);
  spare->start = start + bytes;
  spare->bytes = behind;
  tree_.insert(*spare);
  return {.found = true, .start = start, .unused = {}};
}

RangeTree::Unused RangeTree::give(AddressRange& range) {
  AddressRange* const behind =
      tree_.first_where([&](const AddressRange& other) { return other.start >= range.start; });
  AddressRange* const before = behind != nullptr ? tree_.prev(*behind) : tree_.last();
  const bool joins_before = before != nullptr && before->start + before->bytes == range.start;
  const bool joins_behind = behind != nullptr && range.start + range.bytes == behind->start;
  // An overlap means that an address was given twice.
  QUARRY_CHECK(before == nullptr || before->start + before->bytes <= range.start);
  QUARRY_CHECK(behind == nullptr || range.start + range.bytes <= behind->start);
  free_bytes_ += range.bytes;
  if (joins_before) {
    before->bytes += range.bytes;
    if (joins_behind) {
      before->bytes += behind->bytes;
      tree_.erase(*behind);
    }
    tree_.update(*before);
    return {{&range, joins_behind ? behind : nullptr}};
  }
  if (joins_behind) {
    behind->start = range.start;
    behind->bytes += range.bytes;
    tree_.update(*behind);
    return {{&range}};
  }
  tree_.insert(range);
  return {};
}

void RangeTree::remove(AddressRange& range) {
  free_bytes_ -= range.bytes;
  tree_.erase(range);
}

bool RangeTree::validate() const {
  if (!tree_.validate()) return false;
  size_t bytes = 0;
  for (const AddressRange* range = first(); range != nullptr; range = next(*range)) {
    const AddressRange* const behind = next(*range);
    bytes += range->bytes;
    if (range->bytes == 0) return false;
    if (behind != nullptr && range->start + range->bytes >= behind->start) return false;
  }
  return bytes == free_bytes_;
}

}  // namespace quarry
