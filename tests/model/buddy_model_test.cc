// SPDX-License-Identifier: MIT
// The buddy system and its fallback against a naive one that keeps its free blocks in plain arrays
// and looks for everything by going through them. Not only what is free has to agree, but the order
// in which it will be taken.
#include "base/random.h"
#include "support/buddy_frames.h"
#include "zone/fallback.h"

namespace quarry {
namespace {

constexpr uint32_t kFrames = 8192;
constexpr uint32_t kFirst = 64;  // the zone begins inside a pageblock
constexpr unsigned kOperations = 1'000'000;
constexpr unsigned kTypes = 4;
constexpr uint32_t kHighAtomic = 3;

class NaiveBuddy {
 public:
  NaiveBuddy() {
    for (uint8_t& type : type_) type = 1;
  }

  uint32_t pageblock_type(uint32_t pfn) const { return type_[pfn >> kPageblockOrder]; }
  void set_pageblock_type(uint32_t pfn, uint32_t type) {
    type_[pfn >> kPageblockOrder] = static_cast<uint8_t>(type);
  }
  uint32_t size(unsigned order, unsigned type) const { return list_[order][type].size; }
  uint32_t at(unsigned order, unsigned type, uint32_t i) const {
    return list_[order][type].block[i];
  }
  uint32_t free_pages() const { return free_pages_; }

  void free(uint32_t pfn, unsigned order, uint32_t type, bool to_tail) {
    free_pages_ += 1U << order;
    merge(pfn, order, type, to_tail);
  }

  uint32_t take(unsigned order, uint32_t type) {
    for (unsigned from = order; from <= 10; ++from) {
      if (list_[from][type].size == 0) continue;
      const uint32_t pfn = list_[from][type].block[0];
      take_out(pfn, from);
      while (from-- > order) put(pfn + (1U << from), from, type, false);
      free_pages_ -= 1U << order;
      return pfn;
    }
    return 0;
  }

  bool steal(unsigned order, uint32_t type, bool whole_only) {
    static constexpr uint32_t kOthers[3][2] = {{2, 1}, {2, 0}, {0, 1}};
    const unsigned least = whole_only && order < kPageblockOrder ? kPageblockOrder : order;
    for (unsigned from = 11; from-- > least;) {
      for (uint32_t other : kOthers[type]) {
        if (list_[from][other].size == 0) continue;
        const bool claims = from >= kPageblockOrder / 2 || type != 1;
        if (claims || from == order) return take_over(from, other, type, claims);
        return steal_smallest(order, type, kOthers[type]);
      }
    }
    return false;
  }

  uint32_t move_pageblock(uint32_t pfn, uint32_t type) {
    const uint32_t begin = pfn >> kPageblockOrder << kPageblockOrder;
    uint32_t moved = 0;
    for (uint32_t at = begin; at < begin + kPageblockPages;) {
      unsigned order = 0;
      while (order <= 10 && !is_free(at, order)) ++order;
      if (order > 10) {
        ++at;
        continue;
      }
      take_out(at, order);
      merge(at, order, type, true);
      moved += 1U << order;
      at += 1U << order;
    }
    return moved;
  }

 private:
  struct Blocks {
    uint32_t size = 0;
    uint32_t block[kFrames];
  };

  static bool types_merge(uint32_t a, uint32_t b) { return a == b || (a < 3 && b < 3); }

  bool is_free(uint32_t pfn, unsigned order) const { return order_[pfn] == order + 1; }
  bool mergeable(uint32_t buddy, unsigned order, uint32_t type) const {
    if (order >= kPageblockOrder && !types_merge(type, pageblock_type(buddy))) return false;
    return is_free(buddy, order);
  }
  void merge(uint32_t pfn, unsigned order, uint32_t type, bool to_tail) {
    for (; order < 10 && mergeable(pfn ^ (1U << order), order, type); ++order) {
      take_out(pfn ^ (1U << order), order);
      pfn &= ~(1U << order);
    }
    const uint32_t above = pfn >> (order + 1) << (order + 1);
    const bool soon = order <= 8 && is_free(above ^ (2U << order), order + 1);
    put(pfn, order, type, to_tail || soon);
  }
  void put(uint32_t pfn, unsigned order, uint32_t type, bool to_tail) {
    Blocks& list = list_[order][type];
    if (to_tail) {
      list.block[list.size] = pfn;
    } else {
      __builtin_memmove(list.block + 1, list.block, list.size * sizeof(uint32_t));
      list.block[0] = pfn;
    }
    ++list.size;
    order_[pfn] = static_cast<uint8_t>(order + 1);
  }
  void take_out(uint32_t pfn, unsigned order) {
    order_[pfn] = 0;
    for (Blocks& list : list_[order]) {
      for (uint32_t i = 0; i != list.size; ++i) {
        if (list.block[i] != pfn) continue;
        --list.size;
        __builtin_memmove(list.block + i, list.block + i + 1, (list.size - i) * sizeof(uint32_t));
        return;
      }
    }
    __builtin_trap();
  }
  bool steal_smallest(unsigned order, uint32_t type, const uint32_t (&others)[2]) {
    for (unsigned from = order;; ++from) {
      for (uint32_t other : others) {
        if (list_[from][other].size == 0) continue;
        return take_over(from, other, type, from >= kPageblockOrder / 2 || type != 1);
      }
    }
  }
  bool take_over(unsigned order, uint32_t other, uint32_t type, bool claims) {
    const uint32_t pfn = list_[order][other].block[0];
    const uint32_t old_type = pageblock_type(pfn);
    const uint32_t begin = pfn >> kPageblockOrder << kPageblockOrder;
    if (order >= kPageblockOrder) {
      for (uint32_t i = 0; i < 1U << order; i += kPageblockPages) set_pageblock_type(pfn + i, type);
      claims = false;
    }
    if (!claims || begin < kFirst) {
      take_out(pfn, order);
      merge(pfn, order, type, true);
      return true;
    }
    const uint32_t free = move_pageblock(pfn, type);
    const uint32_t compatible = type != 1 && old_type == 1 ? kPageblockPages - free : 0;
    if (free + compatible >= kPageblockPages / 2) set_pageblock_type(pfn, type);
    return true;
  }

  Blocks list_[11][kTypes];
  uint8_t order_[kFrames] = {};  // of the free block that begins here, plus 1
  uint8_t type_[kFrames / kPageblockPages];
  uint32_t free_pages_ = 0;
};

struct Held {
  uint32_t pfn;
  unsigned order;
};

struct Model {
  harness::BuddyFrames<kFrames> real{kFirst, kFrames};
  NaiveBuddy naive;
  Held held[kFrames];
  uint32_t held_count = 0;
  Random random{harness::seed()};

  Model() {
    real.buddy.free_range(Pfn(kFirst), Pfn(kFrames));
    for (uint32_t pfn = kFirst; pfn != kFrames;) {
      unsigned order = 10;
      while (pfn % (1U << order) != 0) --order;
      naive.free(pfn, order, 1, true);
      pfn += 1U << order;
    }
  }

  bool agree() {
    if (!real.sound()) return false;
    bool same = CHECK_EQ(real.buddy.free_pages(), naive.free_pages());
    for (unsigned order = 0; order <= 10; ++order) {
      for (unsigned type = 0; type != kTypes; ++type) {
        const FreeList& list = real.buddy.list(Order(order), MigrateType(type));
        if (!CHECK_EQ(list.count, naive.size(order, type))) return false;
        Pfn pfn = list.first;
        for (uint32_t i = 0; i != list.count; ++i) {
          same = same && pfn.value() == naive.at(order, type, i);
          pfn = Pfn(real.page[pfn.value()].link_next);
        }
      }
    }
    for (uint32_t pfn = 0; pfn != kFrames; pfn += kPageblockPages) {
      const auto type = static_cast<uint32_t>(real.buddy.pageblock_type(Pfn(pfn)));
      same = same && type == naive.pageblock_type(pfn);
    }
    return CHECK(same);
  }

  // Small orders mostly.
  unsigned any_order() { return random.one_in(4) ? random.below(11) : random.below(4); }

  void allocate() {
    const unsigned order = any_order();
    const uint32_t type = random.one_in(50) ? kHighAtomic : random.below(3);
    const uint32_t most = random.one_in(3) ? random.between(1, 20) : 1;
    const BlockRun run = real.buddy.take_run(Order(order), MigrateType(type), most);
    for (uint32_t i = 0; i != run.count; ++i) {
      const uint32_t pfn = run.first.value() + (i << order);
      CHECK_EQ(pfn, naive.take(order, type));
      held[held_count++] = {pfn, order};
    }
    if (run.count != 0) return;
    CHECK_EQ(naive.take(order, type), 0U);
    if (type == kHighAtomic) return;
    const bool whole_only = random.one_in(3);
    const bool stolen = naive.steal(order, type, whole_only);
    CHECK_EQ(
        steal_fallback(real.buddy, Order(order), MigrateType(type), whole_only) != Steal::kNothing,
        stolen);
  }

  void release() {
    if (held_count == 0) return;
    const uint32_t i = random.below(held_count);
    const Held block = held[i];
    held[i] = held[--held_count];
    const uint32_t type = naive.pageblock_type(block.pfn);
    const bool to_tail = random.one_in(10);
    real.buddy.free(Pfn(block.pfn), Order(block.order), MigrateType(type),
                    to_tail ? Placement::kTail : Placement::kLikelihood);
    naive.free(block.pfn, block.order, type, to_tail);
  }

  // A pageblock in which nothing is larger than it becomes, or ceases to be, an atomic reserve.
  void change_pageblock() {
    const uint32_t pfn = random.below(kFrames / kPageblockPages) * kPageblockPages;
    if (pfn == 0) return;
    for (unsigned order = kPageblockOrder + 1; order <= 10; ++order) {
      for (unsigned type = 0; type != kTypes; ++type) {
        for (uint32_t i = 0; i != naive.size(order, type); ++i) {
          const uint32_t begin = naive.at(order, type, i);
          if (pfn >= begin && pfn < begin + (1U << order)) return;
        }
      }
    }
    for (uint32_t i = 0; i != held_count; ++i) {
      if (held[i].order > kPageblockOrder && pfn - held[i].pfn < 1U << held[i].order) return;
    }
    const uint32_t type = naive.pageblock_type(pfn) == kHighAtomic ? random.below(3) : kHighAtomic;
    real.buddy.set_pageblock_type(Pfn(pfn), MigrateType(type));
    naive.set_pageblock_type(pfn, type);
    CHECK_EQ(real.buddy.move_pageblock(Pfn(pfn), MigrateType(type)),
             naive.move_pageblock(pfn, type));
  }
};

QUARRY_TEST(BuddyModel, agrees_with_a_naive_one) {
  static Model model;
  // Phases of growing and of shrinking, so that memory is at times full and at times empty.
  for (unsigned i = 0; i != harness::operations(kOperations); ++i) {
    const bool growing = i / 4096 % 2 == 0;
    if (model.random.one_in(2000)) {
      model.change_pageblock();
    } else if (model.random.below(10) < (growing ? 7U : 3U)) {
      model.allocate();
    } else {
      model.release();
    }
    if (i % 2000 == 0) REQUIRE(model.agree());
  }
  while (model.held_count != 0) model.release();
  REQUIRE(model.agree());
  CHECK_EQ(model.real.buddy.free_pages(), kFrames - kFirst);
}

}  // namespace
}  // namespace quarry
