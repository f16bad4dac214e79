// SPDX-License-Identifier: MIT
#include "frame/memblock.h"

#include "arch/arch.h"
#include "base/bits.h"

namespace quarry {

namespace {

// Frames are numbered by 32 bits.
constexpr uint64_t kNumberedEnd = uint64_t{1} << (32 + kPageShift);

uint64_t min_of(uint64_t a, uint64_t b) { return a < b ? a : b; }
uint64_t max_of(uint64_t a, uint64_t b) { return a > b ? a : b; }

bool makes_sense(PhysAddr start, uint64_t bytes) {
  return bytes <= kNumberedEnd && start.value() <= kNumberedEnd - bytes;
}

}  // namespace

unsigned RegionList::first_ending_above(uint64_t address) const {
  unsigned low = 0;
  unsigned high = count_;
  while (low != high) {
    const unsigned middle = (low + high) / 2;
    if (region_[middle].end > address) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

uint64_t RegionList::bytes() const {
  uint64_t sum = 0;
  for (const MemoryRegion& region : *this) sum += region.end - region.start;
  return sum;
}

void RegionList::insert(unsigned at, const MemoryRegion& region) {
  QUARRY_CHECK(count_ < kMaxRegions);
  for (unsigned i = count_; i != at; --i) region_[i] = region_[i - 1];
  region_[at] = region;
  ++count_;
}

void RegionList::erase(unsigned at) {
  --count_;
  for (unsigned i = at; i != count_; ++i) region_[i] = region_[i + 1];
}

// Joins neighbours that touch and have one node, among regions [first, last].
void RegionList::merge(unsigned first, unsigned last) {
  for (unsigned i = last; i > first; --i) {
    if (i >= count_ || region_[i - 1].end != region_[i].start) continue;
    if (region_[i - 1].node != region_[i].node) continue;
    region_[i - 1].end = region_[i].end;
    erase(i);
  }
}

bool RegionList::add(uint64_t start, uint64_t end, NodeId node) {
  if (start >= end) return true;
  const unsigned first = first_ending_above(start);
  unsigned covered = first;
  while (covered != count_ && region_[covered].start < end) ++covered;
  // Between and around the regions that are there already lie at most this many gaps.
  if (count_ + (covered - first) + 1 > kMaxRegions) return false;
  unsigned i = first;
  while (start < end) {
    if (i != count_ && region_[i].start <= start) {
      start = max_of(start, region_[i].end);
    } else {
      const uint64_t gap_end = i != count_ ? min_of(end, region_[i].start) : end;
      insert(i, {start, gap_end, node});
      start = gap_end;
    }
    ++i;
  }
  merge(first == 0 ? 0 : first - 1, i);
  return true;
}

bool RegionList::remove(uint64_t start, uint64_t end) {
  if (start >= end) return true;
  unsigned i = first_ending_above(start);
  while (i != count_ && region_[i].start < end) {
    MemoryRegion& region = region_[i];
    if (region.start < start && region.end > end) {
      if (count_ == kMaxRegions) return false;
      insert(i + 1, {end, region.end, region.node});
      region_[i].end = start;
      return true;
    }
    if (region.start >= start && region.end <= end) {
      erase(i);
      continue;
    }
    if (region.start < start) {
      region.end = start;
    } else {
      region.start = end;
    }
    ++i;
  }
  return true;
}

bool Memblock::add(PhysAddr start, uint64_t bytes, NodeId node) {
  return makes_sense(start, bytes) && memory_.add(start.value(), start.value() + bytes, node);
}

bool Memblock::reserve(PhysAddr start, uint64_t bytes) {
  return makes_sense(start, bytes) && reserved_.add(start.value(), start.value() + bytes, kNoNode);
}

bool Memblock::release(PhysAddr start, uint64_t bytes) {
  return makes_sense(start, bytes) && reserved_.remove(start.value(), start.value() + bytes);
}

bool Memblock::remove(PhysAddr start, uint64_t bytes) {
  return makes_sense(start, bytes) && memory_.remove(start.value(), start.value() + bytes);
}

bool Memblock::add_all(const Platform& platform) {
  for (const MemoryRange& range : platform.memory_ranges()) {
    const bool done = range.type == MemoryType::kUsable ? add(range.start, range.bytes, range.node)
                                                        : reserve(range.start, range.bytes);
    if (!done) return false;
  }
  if (Arch::kPhysicalLimit < kNumberedEnd) memory_.remove(Arch::kPhysicalLimit, kNumberedEnd);
  return reserve(PhysAddr(0), kPageBytes);
}

bool Memblock::next_free(MemoryRegion& piece) const {
  uint64_t start = piece.end;
  for (unsigned i = memory_.first_ending_above(start); i != memory_.size(); ++i) {
    const MemoryRegion& memory = memory_[i];
    start = max_of(start, memory.start);
    unsigned r = reserved_.first_ending_above(start);
    if (r != reserved_.size() && reserved_[r].start <= start) start = reserved_[r++].end;
    if (start >= memory.end) continue;
    const uint64_t end =
        r != reserved_.size() ? min_of(memory.end, reserved_[r].start) : memory.end;
    piece = {start, end, memory.node};
    return true;
  }
  return false;
}

PhysAddr Memblock::alloc_lowest(uint64_t bytes, uint64_t align, PhysAddr low, PhysAddr high,
                                NodeId node) {
  MemoryRegion piece{0, 0, kNoNode};
  while (next_free(piece)) {
    const uint64_t start = round_up(max_of(piece.start, low.value()), align);
    const uint64_t end = min_of(piece.end, high.value());
    if ((node != kNoNode && node != piece.node) || start >= end || end - start < bytes) continue;
    return reserve(PhysAddr(start), bytes) ? PhysAddr(start) : PhysAddr(0);
  }
  return PhysAddr(0);
}

PhysAddr Memblock::alloc_highest(uint64_t bytes, uint64_t align, PhysAddr low, PhysAddr high,
                                 NodeId node) {
  uint64_t best = 0;
  for_each_free([&](const MemoryRegion& piece) {
    const uint64_t end = min_of(piece.end, high.value());
    if ((node != kNoNode && node != piece.node) || end < bytes) return;
    const uint64_t start = round_down(end - bytes, align);
    if (start >= max_of(piece.start, low.value())) best = start;
  });
  return best != 0 && reserve(PhysAddr(best), bytes) ? PhysAddr(best) : PhysAddr(0);
}

BootMemory::BootMemory(Memblock& memblock, const Platform& platform, PhysAddr limit)
    : memblock_(memblock),
      direct_base_(platform.direct_map_base().value()),
      floor_(memblock.memory().bytes() > 64 * kMiB ? 16 * kMiB : 0),
      limit_(limit),
      zeroed_(platform.memory_is_zeroed()) {}

void* BootMemory::alloc(uint64_t bytes, size_t align) {
  // Pieces that follow each other without gaps are one reservation.
  bytes = round_up(bytes, uint64_t{Arch::kCacheLineBytes});
  const PhysAddr found = memblock_.alloc_lowest(bytes, align, floor_, limit_, kNoNode);
  if (found == PhysAddr(0)) return nullptr;
  void* memory = reinterpret_cast<void*>(direct_base_ + static_cast<uintptr_t>(found.value()));
  if (!zeroed_) __builtin_memset(memory, 0, static_cast<size_t>(bytes));
  return memory;
}

}  // namespace quarry
