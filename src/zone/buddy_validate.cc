// SPDX-License-Identifier: MIT
// The invariants of buddy.h, one by one.
#include "zone/buddy.h"
#include "zone/fresh_frames.h"

namespace quarry {

namespace {

class Complaint final : public TextSink {
 public:
  explicit Complaint(TextSink* out) : out_(out) {}
  void write(const char* text, size_t length) override {
    if (out_ != nullptr) out_->write(text, length);
  }

 private:
  TextSink* out_;
};

const char* name(MigrateType type) { return kMigrateTypeNames[static_cast<unsigned>(type)]; }

}  // namespace

// What is wrong with a block that stands in list (order, type) behind `prev`; null: nothing.
const char* Buddy::flaw_of(Pfn pfn, Pfn prev, Order order, MigrateType type) const {
  if (!pfn.is_aligned(order)) return "is not aligned to its size";
  if (pfn < start_ || end_ - pfn < order.pages()) return "lies outside the zone";
  if (map_->pageblock(pfn).zone_id != zone_id_) return "lies in another zone's pageblock";
  const Page& first = page(pfn);
  if (first.flags != QUARRY_PAGE_BUDDY) return "has other flags than BUDDY";
  if (first._refcount != 0) return "has references";
  if (first.order != order.value()) return "has another order";
  if (static_cast<const BuddyPage&>(first).list_type() != type) return "names another list";
  if (first.link_prev != prev.value()) return "has a wrong link back";
  if (!merges_across(type, pageblock_type(pfn))) return "does not fit its pageblock's type";
  if (order < kMaxOrder && can_merge(pfn ^ order.pages(), order, type)) {
    return "has a free buddy";
  }
  return nullptr;
}

bool Buddy::is_empty_inside(Pfn pfn, Order order, const FreshFrames* fresh) const {
  constexpr uint32_t kGroup = FreshFrames::kGroup;
  const uint32_t pages = order.pages();
  for (uint32_t from = 0; from < pages; from += kGroup) {
    if (fresh != nullptr && pages >= kGroup && fresh->all_fresh(pfn + from)) continue;
    const uint32_t end = pages < kGroup ? pages : from + kGroup;
    for (uint32_t i = from == 0 ? 1 : from; i != end; ++i) {
      const Page& inside = page(pfn + i);
      if (inside.flags != 0 || inside._refcount != 0 || inside.cache != 0) return false;
    }
  }
  return true;
}

bool Buddy::validate_list(TextSink& out, Order order, MigrateType type,
                          const FreshFrames* fresh) const {
  const FreeList& blocks = list(order, type);
  uint32_t count = 0;
  Pfn prev = kNoPfn;
  for (Pfn pfn = blocks.first; pfn != kNoPfn; pfn = next(pfn)) {
    if (pfn >= map_->end() || count == blocks.count) {
      format(out, "free list %u of %s leads to pfn %#x after %u blocks\n", order, name(type), pfn,
             count);
      return false;
    }
    const char* flaw = flaw_of(pfn, prev, order, type);
    if (flaw == nullptr && !is_empty_inside(pfn, order, fresh)) {
      flaw = "has a page inside that is in use";
    }
    if (flaw != nullptr) {
      format(out, "free block at pfn %#x of order %u in list %s %s\n", pfn, order, name(type),
             flaw);
      return false;
    }
    prev = pfn;
    ++count;
  }
  if (count != blocks.count || prev != blocks.last) {
    format(out, "free list %u of %s has %u blocks, counts %u, ends at %#x, last is %#x\n", order,
           name(type), count, blocks.count, prev, blocks.last);
    return false;
  }
  return true;
}

bool Buddy::validate(TextSink* sink, const FreshFrames* fresh) const {
  Complaint out(sink);
  long pages = 0;
  uint32_t nonempty[2] = {0, 0};
  for (uint8_t o = 0; o != kOrderCount; ++o) {
    for (uint8_t t = 0; t != kMigrateTypes; ++t) {
      const Order order(o);
      const auto type = MigrateType(t);
      if (!validate_list(out, order, type, fresh)) return false;
      const uint32_t count = list(order, type).count;
      pages += static_cast<long>(count) << o;
      if (count != 0 && type <= MigrateType::kHighAtomic) {
        nonempty[type == MigrateType::kHighAtomic] |= order.pages();
      }
    }
  }
  if (pages != free_pages()) {
    format(out, "free lists hold %d pages, free_pages is %d\n", pages, free_pages());
    return false;
  }
  if (nonempty[0] != counters_->nonempty.load(std::memory_order_relaxed) ||
      nonempty[1] != counters_->nonempty_highatomic.load(std::memory_order_relaxed)) {
    format(out, "nonempty orders are %#x and %#x, noted otherwise\n", nonempty[0], nonempty[1]);
    return false;
  }
  return true;
}

}  // namespace quarry
