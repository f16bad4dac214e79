// SPDX-License-Identifier: MIT
#pragma once

// The page tables of a bare machine, written by the core itself for the two ranges of addresses
// that the platform leaves to it. `Format` describes them (arch/x86/page_tables.h): how many levels
// of tables there are, how many bits of an address choose an entry of each, and what an entry is.
//
//   entry of level n  ->  table of level n - 1, in a frame of the direct map;  n > 0
//   entry of level 0  ->  frame that the page shows
//
// All CPUs run on one root table, so an entry is written once. Tables appear when an address below
// them is mapped, in frames from a FrameSource, and outlive the mapping: most ranges are used
// again. Empty ones are taken off by detach_empty(). Tables that the platform made are used
// and never taken off; an entry tells which is which.
//
//   table_count() == owned entries of levels above 0, checked by validate()
//
// A page that becomes visible needs no flush: the CPU caches nothing about what is not present. For
// what is cleared or detached, the caller flushes (tlb.h) before it uses pages or frames again.
//
// Lock: `lock_` (kMap) from the walk to the last entry written, at most one last-level table at a
// time, so that interrupts are off for no more than that. No frame is taken or given back and
// nothing is flushed under it. find() takes no lock: it is for pages whose tables are kept.

#include <span>

#include "base/text_sink.h"
#include "map/frame_source.h"
#include "quarry/platform.h"
#include "sync/spinlock.h"

namespace quarry {

template <class Format>
class PageTables {
 public:
  using Entry = typename Format::Entry;
  static constexpr unsigned kEntries = 1u << Format::kIndexBits;
  static_assert(kEntries * sizeof(Entry) == kPageBytes);

  constexpr PageTables() = default;
  PageTables(const PageTables&) = delete;
  PageTables& operator=(const PageTables&) = delete;

  // `root` and all tables are seen in the direct map, which begins at `direct_base`.
  void init(VirtAddr root, VirtAddr direct_base, FrameSource& frames) {
    root_ = root.as<Entry>();
    direct_base_ = direct_base;
    frames_ = &frames;
  }

  // Shows `count` frames from `first` on at `at` and the pages behind it, where nothing is shown.
  // How many pages, from the front: less than `count` if there is no memory for tables. May sleep.
  [[nodiscard]] size_t fill(VirtAddr at, Pfn first, size_t count, MapAccess access) {
    size_t done = 0;
    while (done != count) {
      const size_t here = pages_in_leaf(at, count - done);
      if (fill_leaf(at, here, Entry::make(first, access))) [[likely]] {
        at += here << kPageShift;
        first += static_cast<uint32_t>(here);
        done += here;
      } else if (!add_table(at)) {
        break;
      }
    }
    return done;
  }

  // Shows nothing there any more. Any context.
  void clear(VirtAddr at, size_t count) {
    while (count != 0) {
      const size_t here = pages_in_leaf(at, count);
      LockGuard guard(lock_);
      if (Entry* entry = find(at)) {
        for (Entry* const end = entry + here; entry != end; ++entry) entry->write({});
      }
      at += here << kPageShift;
      count -= here;
    }
  }

  // Makes the tables for these pages and keeps them until release(). Once. May sleep. False: no
  // memory.
  [[nodiscard]] bool keep(VirtAddr at, size_t count) {
    kept_ = {page_number(at), page_number(at) + count};
    while (count != 0) {
      const size_t here = pages_in_leaf(at, count);
      if (has_leaf(at)) {
        at += here << kPageShift;
        count -= here;
      } else if (!add_table(at)) {
        return false;
      }
    }
    return true;
  }
  void release() { kept_ = {}; }

  // Takes tables off that show nothing and lead to none but these pages, until `detached` is full.
  // How many; their frames may be used again after a flush. Any context.
  size_t detach_empty(VirtAddr at, size_t count, std::span<Pfn> detached) {
    if (count == 0) return 0;
    Detached found{detached};
    LockGuard guard(lock_);
    detach_below_locked(root_, kTop, page_number(at), page_number(at) + count - 1, found);
    table_count_.fetch_sub(found.count, std::memory_order_relaxed);
    return found.count;
  }

  // The last-level entry of that page. Null: there is no table for it.
  Entry* find(VirtAddr at) const {
    Entry* table = root_;
    for (unsigned level = kTop; level != 0; --level) {
      const Entry& entry = table[index(at, level)];
      if (!entry.present()) return nullptr;
      table = table_of(entry);
    }
    return table + index(at, 0);
  }

  size_t table_count() const { return table_count_.load(std::memory_order_relaxed); }

  // False: the equation above does not hold, and `out` says so. No call may be under way.
  bool validate(TextSink& out) const {
    const size_t found = owned_below(root_, kTop);
    if (found == table_count()) return true;
    format(out, "page tables: %zu made, %zu found\n", table_count(), found);
    return false;
  }

 private:
  static constexpr unsigned kTop = Format::kLevels - 1;

  struct PageRange {
    uint64_t begin;
    uint64_t end;
  };
  struct Detached {
    std::span<Pfn> frames;
    size_t count = 0;
    bool full() const { return count == frames.size(); }
  };

  static uint64_t page_number(VirtAddr at) { return at.value() >> kPageShift; }
  static unsigned index(VirtAddr at, unsigned level) {
    return static_cast<unsigned>(page_number(at) >> level * Format::kIndexBits) & (kEntries - 1);
  }
  // How many of `count` pages from `at` on the same last-level table serves.
  static size_t pages_in_leaf(VirtAddr at, size_t count) {
    const size_t left = kEntries - index(at, 0);
    return left < count ? left : count;
  }

  Entry* table_of(const Entry& entry) const {
    return (direct_base_ + (uintptr_t{entry.frame().value()} << kPageShift)).template as<Entry>();
  }

  // Pages of one last-level table show what `entry` says, and the frames behind it. False: there is
  // no table.
  bool fill_leaf(VirtAddr at, size_t count, Entry value) {
    LockGuard guard(lock_);
    Entry* entry = find(at);
    if (entry == nullptr) [[unlikely]]
      return false;
    for (Entry* const end = entry + count; entry != end; ++entry) {
      QUARRY_ASSERT(!entry->present());
      entry->write(value);
      value = value.next_frame();
    }
    return true;
  }

  bool has_leaf(VirtAddr at) {
    LockGuard guard(lock_);
    return find(at) != nullptr;
  }

  // Makes the highest table that this page lacks. False: no memory.
  [[gnu::noinline]] bool add_table(VirtAddr at) {
    const Pfn frame = frames_->take();
    if (frame == kNoPfn) return false;
    if (!link_table(at, frame)) frames_->give_back(frame);
    return true;
  }
  // False: the page lacks none by now.
  bool link_table(VirtAddr at, Pfn frame) {
    LockGuard guard(lock_);
    Entry* table = root_;
    for (unsigned level = kTop; level != 0; --level) {
      Entry& entry = table[index(at, level)];
      if (!entry.present()) {
        entry.write(Entry::make_table(frame));
        table_count_.fetch_add(1, std::memory_order_relaxed);
        return true;
      }
      table = table_of(entry);
    }
    return false;
  }

  static bool is_empty(const Entry* table) {
    for (unsigned i = 0; i != kEntries; ++i) {
      if (table[i].present()) return false;
    }
    return true;
  }

  // Looks at the part of a table that serves pages `first` to `last`.
  void detach_below_locked(Entry* table, unsigned level, uint64_t first, uint64_t last,
                           Detached& found) QUARRY_REQUIRES(lock_) {
    const unsigned shift = level * Format::kIndexBits;
    const uint64_t rest = (uint64_t{1} << shift) - 1;
    for (uint64_t page = first; page <= last && !found.full(); page = (page | rest) + 1) {
      Entry& entry = table[page >> shift & (kEntries - 1)];
      if (!entry.present()) continue;
      const uint64_t end = page | rest;
      Entry* const below = table_of(entry);
      if (level > 1) detach_below_locked(below, level - 1, page, end < last ? end : last, found);
      const bool kept = (page & ~rest) < kept_.end && kept_.begin <= end;
      if (found.full() || kept || !entry.owned() || !is_empty(below)) continue;
      found.frames[found.count++] = entry.frame();
      entry.write({});
    }
  }

  // `level` is above 0.
  size_t owned_below(const Entry* table, unsigned level) const {
    size_t count = 0;
    for (unsigned i = 0; i != kEntries; ++i) {
      if (!table[i].present() || table[i].large()) continue;
      if (table[i].owned()) ++count;
      if (level > 1) count += owned_below(table_of(table[i]), level - 1);
    }
    return count;
  }

  SpinLock lock_{LockRank::kMap};
  Entry* root_ = nullptr;
  VirtAddr direct_base_{};
  FrameSource* frames_ = nullptr;
  PageRange kept_{};
  std::atomic<size_t> table_count_{0};
};

}  // namespace quarry
