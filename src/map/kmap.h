// SPDX-License-Identifier: MIT
#pragma once

// Addresses for frames above the direct map (highmem), a page at a time. There are two kinds, side
// by side in the platform's kmap range; a page that is directly mapped keeps that address and takes
// none of either.
//
// Slots of map() are shared by all CPUs and counted:
//
//   count 0       free: nothing is mapped, and no CPU has anything cached
//   count 1       nobody uses it, but the page is still mapped: asked for again, it is there again
//   count n + 1   n users
//
// They are taken in turn. When the turn begins anew, all slots of count 1 become free at once: one
// flush for many. A page has at most one slot; by_frame_ finds it.
//
//   slot s is in a chain of by_frame_  <=>  count_[s] != 0  <=>  its entry is present
//
// Local slots of map_local() belong to one CPU, in the order of a stack: the first whose entry is
// not present is the next one. A local slot is dropped from the CPU's own TLB at once; other CPUs
// may have cached what they saw there, which does not matter, because they never use the address.
//
// Lock: lock_ (kMap) for the slots of map(), also over the flush, which waits for other CPUs: they
// answer where they spin for it (Platform::run_on_all_cpus()).

#include "frame/page_map.h"
#include "map/direct_kmap.h"
#include "map/page_tables.h"
#include "map/tlb.h"
#include "sync/execution_context.h"
#include "sync/report.h"

namespace quarry {

template <class Cpu>
class Kmap {
 public:
  using Tables = PageTables<typename Cpu::TableFormat>;

  static constexpr unsigned kSlots = Tables::kEntries;  // Linux: LAST_PKMAP
  static constexpr unsigned kLocalSlots = 16;           // Linux: KM_MAX_IDX; of each CPU

  constexpr Kmap() = default;
  Kmap(const Kmap&) = delete;
  Kmap& operator=(const Kmap&) = delete;

  // First of all; all must outlive this. Only pages of the direct map have addresses then.
  void init(const PageMap& map, Reporter& reporter) {
    map_ = &map;
    reporter_ = &reporter;
  }
  // Makes slots of the platform's kmap range. False: it is too small, or there is no memory for its
  // tables.
  [[nodiscard]] bool boot(Platform& platform, Tables& tables, const Tlb<Cpu>& tlb) {
    platform_ = &platform;
    tables_ = &tables;
    tlb_ = &tlb;
    start_ = platform.kmap_start();
    const size_t pages = kSlots + size_t{kLocalSlots} * platform.cpu_count();
    if ((platform.kmap_end() - start_) >> kPageShift < pages) return false;
    if (!tables.keep(start_, pages)) {
      tables.release();
      return false;
    }
    pages_ = pages;
    return true;
  }
  // Nothing is mapped any more, and the tables need not be kept.
  void shutdown() {
    if (pages_ == 0) return;
    tables_->clear(start_, pages_);
    tlb_->flush(start_, pages_);
    tables_->release();
    pages_ = 0;
  }

  // The address of a page on every CPU until unmap(), which has to be called as often; it is the
  // same for all users of a page. Process context; may sleep until a slot is free. Null: there is
  // none, and nobody could give one back meanwhile, after a report.
  [[nodiscard]] void* map(const Page* page, uintptr_t place) {
    reporter_->check_context(QUARRY_GFP_DIRECT_RECLAIM, place);
    if (void* const direct = map_->address(page)) return direct;
    const Pfn frame = map_->pfn(page);
    for (;;) {
      {
        LockGuard guard(lock_);
        unsigned slot = find_locked(frame);
        if (slot == kNone) slot = take_slot_locked(frame);
        if (slot != kNone) {
          ++count_[slot];
          return slot_address(slot).as();
        }
      }
      if (may_sleep(Arch::context()) && platform_->wait_for_memory()) continue;
      reporter_->warn(place, "kmap: all slots are in use");
      return nullptr;
    }
  }
  // Any context.
  void unmap(const Page* page, uintptr_t place) {
    if (map_->address(page) != nullptr) return;
    {
      LockGuard guard(lock_);
      const unsigned slot = find_locked(map_->pfn(page));
      if (slot != kNone && count_[slot] > 1) {
        --count_[slot];
        return;
      }
    }
    reporter_->warn(place, "kernel BUG: kunmap of a page that is not mapped");
  }

  // An address that the running thread may use until unmap_local(), on the CPU that it runs on now.
  // What is mapped last is unmapped first. Any context, an interrupt may come between; the thread
  // may sleep, if no other thread of that CPU maps meanwhile and leaves it mapped.
  [[nodiscard]] void* map_local(const Page* page) {
    if (void* const direct = map_->address(page)) return direct;
    const IrqGuard off;
    VirtAddr at = local_start();
    for (unsigned depth = 0;; ++depth, at += kPageBytes) {
      QUARRY_CHECK(depth != kLocalSlots);
      Entry* const entry = tables_->find(at);
      if (entry->present()) continue;
      entry->write(Entry::make(map_->pfn(page), MapAccess::kReadWrite));
      return at.as();
    }
  }
  // `address`: anywhere in the page. One of the direct map is a no-op, what is not the page mapped
  // last by this CPU is reported and left alone.
  void unmap_local(const void* address, uintptr_t place) {
    if (!contains(address)) return;
    const VirtAddr page{round_down(reinterpret_cast<uintptr_t>(address), kPageBytes)};
    {
      const IrqGuard off;
      if (is_last_local(page)) {
        tables_->find(page)->write({});
        Cpu::flush_local_tlb(page);
        return;
      }
    }
    reporter_->warn(place, "kunmap_local of a page that was not the last to be mapped");
  }

  // Frees all slots that nobody uses. Any context.
  void flush_unused() {
    LockGuard guard(lock_);
    flush_unused_locked();
  }

  // Null: the page is not directly mapped, and not mapped by map() now.
  void* address(const Page* page) const {
    if (void* const direct = map_->address(page)) return direct;
    LockGuard guard(lock_);
    const unsigned slot = find_locked(map_->pfn(page));
    return slot != kNone && count_[slot] > 1 ? slot_address(slot).as() : nullptr;
  }
  // Null: the address is neither directly mapped nor one of a mapped page here.
  Page* page_of(const void* address) const {
    if (!contains(address)) return map_->page_of(address);
    const Entry* const entry = tables_->find(VirtAddr{address});
    return entry->present() ? map_->page(entry->frame()) : nullptr;
  }

  // False: the equation above does not hold, and `out` says where. No call may be under way.
  bool validate(TextSink& out) const {
    LockGuard guard(lock_);
    for (unsigned slot = 0; slot != kSlots && pages_ != 0; ++slot) {
      const Entry& entry = *tables_->find(slot_address(slot));
      const bool used = count_[slot] != 0;
      if (entry.present() == used && (!used || find_locked(entry.frame()) == slot)) continue;
      format(out, "kmap: slot %u has count %u and frame %u\n", slot, count_[slot],
             entry.frame().value());
      return false;
    }
    return true;
  }

 private:
  using Entry = typename Tables::Entry;

  static constexpr unsigned kNone = kSlots;
  static constexpr unsigned kBuckets = kSlots / 4;

  VirtAddr slot_address(unsigned slot) const { return start_ + (size_t{slot} << kPageShift); }
  VirtAddr local_start() const {
    const size_t slot = kSlots + size_t{kLocalSlots} * static_cast<unsigned>(Cpu::cpu_id());
    return start_ + (slot << kPageShift);
  }
  bool contains(const void* address) const {
    return (reinterpret_cast<uintptr_t>(address) - start_.value()) >> kPageShift < pages_;
  }
  bool is_last_local(VirtAddr page) const {
    const size_t slot = (page - local_start()) >> kPageShift;
    if (slot >= kLocalSlots || !tables_->find(page)->present()) return false;
    return slot + 1 == kLocalSlots || !tables_->find(page + kPageBytes)->present();
  }

  unsigned find_locked(Pfn frame) const QUARRY_REQUIRES(lock_) {
    unsigned slot = by_frame_[frame.value() % kBuckets].first();
    while (slot != kNone && frame_[slot] != frame) slot = next_[slot].first();
    return slot;
  }

  // A slot for a page that has none, count 1. kNone: all are in use.
  unsigned take_slot_locked(Pfn frame) QUARRY_REQUIRES(lock_) {
    for (unsigned left = kSlots; left != 0; --left) {
      turn_ = (turn_ + 1) % kSlots;
      if (turn_ == 0) {
        flush_unused_locked();
        left = kSlots;
      }
      if (count_[turn_] != 0) continue;
      tables_->find(slot_address(turn_))->write(Entry::make(frame, MapAccess::kReadWrite));
      count_[turn_] = 1;
      frame_[turn_] = frame;
      Link& bucket = by_frame_[frame.value() % kBuckets];
      next_[turn_] = bucket;
      bucket.set(turn_);
      return turn_;
    }
    return kNone;
  }

  void flush_unused_locked() QUARRY_REQUIRES(lock_) {
    unsigned first = kNone;
    unsigned last = 0;
    for (unsigned slot = 0; slot != kSlots; ++slot) {
      if (count_[slot] != 1) continue;
      count_[slot] = 0;
      Link* link = &by_frame_[frame_[slot].value() % kBuckets];
      while (link->first() != slot) link = &next_[link->first()];
      *link = next_[slot];
      tables_->find(slot_address(slot))->write({});
      if (first == kNone) first = slot;
      last = slot;
    }
    if (first != kNone) tlb_->flush(slot_address(first), last - first + 1);
  }

  // The first slot of a chain; all zeros: none.
  class Link {
   public:
    unsigned first() const { return plus_one_ == 0 ? kNone : plus_one_ - 1U; }
    void set(unsigned slot) { plus_one_ = static_cast<uint16_t>(slot + 1); }

   private:
    uint16_t plus_one_ = 0;
  };

  const PageMap* map_ = nullptr;
  Reporter* reporter_ = nullptr;
  Platform* platform_ = nullptr;
  Tables* tables_ = nullptr;
  const Tlb<Cpu>* tlb_ = nullptr;
  VirtAddr start_{};
  size_t pages_ = 0;  // slots of all kinds; 0: there are none

  mutable SpinLock lock_{LockRank::kMap};
  unsigned turn_ QUARRY_GUARDED_BY(lock_) = 0;  // the slot that was taken last
  uint32_t count_[kSlots] QUARRY_GUARDED_BY(lock_) = {};
  Pfn frame_[kSlots] QUARRY_GUARDED_BY(lock_) = {};
  Link next_[kSlots] QUARRY_GUARDED_BY(lock_) = {};  // slots of the same bucket
  Link by_frame_[kBuckets] QUARRY_GUARDED_BY(lock_) = {};
};

// What a machine with that CPU needs.
template <class Cpu>
using KmapOf = std::conditional_t<Cpu::kHasHighmem, Kmap<Cpu>, DirectKmap>;

}  // namespace quarry
