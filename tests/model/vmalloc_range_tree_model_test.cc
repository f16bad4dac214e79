// SPDX-License-Identifier: MIT
// Random operations on a range tree against a map of pages that is searched page by page.
#include "base/random.h"
#include "harness.h"
#include "vmalloc/range_tree.h"

namespace {

using quarry::AddressRange;
using quarry::Random;
using quarry::RangeTree;

constexpr size_t kPage = 4096;
constexpr size_t kPages = 400;
constexpr uintptr_t kStart = 0x70005000;  // aligned to a page and to no more
constexpr size_t kMostTaken = 128;
constexpr unsigned kOperations = 1'200'000;
constexpr int kPerValidation = 500;

struct Taken {
  size_t page;
  size_t count;
};

class RangeModel {
 public:
  explicit RangeModel(uint64_t seed) : random_(seed) {
    for (AddressRange& node : nodes_) put_node(&node);
    AddressRange& all = *get_node();
    all.start = kStart;
    all.bytes = kPages * kPage;
    tree_.give(all);
  }

  void step() {
    if (taken_count_ == kMostTaken || (taken_count_ != 0 && random_.below(100) < give_percent_)) {
      give();
    } else {
      take();
    }
    // Phases of filling and of emptying.
    if (random_.one_in(1000)) give_percent_ = random_.between(30, 70);
  }

  void validate() const {
    CHECK(tree_.validate());
    size_t free_pages = 0;
    for (bool used : used_) free_pages += used ? 0 : 1;
    CHECK_EQ(tree_.free_bytes(), free_pages * kPage);
    const AddressRange* range = tree_.first();
    for (size_t page = 0; page != kPages;) {
      const size_t end = run_end(page);
      if (!used_[page]) {
        REQUIRE(range != nullptr);
        CHECK_EQ(range->start, kStart + page * kPage);
        CHECK_EQ(range->bytes, (end - page) * kPage);
        range = tree_.next(*range);
      }
      page = end;
    }
    CHECK(range == nullptr);
  }

 private:
  // Where the run of pages that are as `page` is ends.
  size_t run_end(size_t page) const {
    size_t end = page + 1;
    while (end != kPages && used_[end] == used_[page]) ++end;
    return end;
  }

  // The lowest aligned page with `count` free ones from it on; kPages for none.
  size_t naive_fit(size_t count, size_t align) const {
    for (size_t page = 0; page + count <= kPages; ++page) {
      if ((kStart + page * kPage) % align != 0) continue;
      size_t free = 0;
      while (free != count && !used_[page + free]) ++free;
      if (free == count) return page;
    }
    return kPages;
  }

  void take() {
    const size_t count = random_.one_in(10) ? random_.between(1, 60) : random_.between(1, 8);
    const size_t align = kPage << (random_.one_in(3) ? random_.below(7) : 0);
    const size_t wanted = naive_fit(count, align);
    const RangeTree::Taken got =
        tree_.take(count * kPage, align, align == kPage ? nullptr : get_node());
    put_unused(got.unused);
    REQUIRE_EQ(got.found, wanted != kPages);
    if (!got.found) return;
    REQUIRE_EQ(got.start, kStart + wanted * kPage);
    mark(wanted, count, true);
    taken_[taken_count_++] = {wanted, count};
  }

  void give() {
    const size_t which = random_.below(static_cast<uint32_t>(taken_count_));
    const Taken given = taken_[which];
    taken_[which] = taken_[--taken_count_];
    mark(given.page, given.count, false);
    AddressRange& range = *get_node();
    range.start = kStart + given.page * kPage;
    range.bytes = given.count * kPage;
    put_unused(tree_.give(range));
  }

  void mark(size_t page, size_t count, bool used) {
    for (size_t i = 0; i != count; ++i) used_[page + i] = used;
  }

  AddressRange* get_node() {
    QUARRY_CHECK(spare_count_ != 0);  // more nodes in the tree than there can be ranges
    return spares_[--spare_count_];
  }
  void put_node(AddressRange* node) {
    if (node != nullptr) spares_[spare_count_++] = node;
  }
  void put_unused(const RangeTree::Unused& unused) {
    put_node(unused.node[0]);
    put_node(unused.node[1]);
  }

  Random random_;
  RangeTree tree_;
  uint32_t give_percent_ = 50;
  bool used_[kPages] = {};
  Taken taken_[kMostTaken] = {};
  size_t taken_count_ = 0;
  // Ranges lie between taken ones: at most one more than those, and one being given or taken.
  AddressRange nodes_[kMostTaken + 2];
  AddressRange* spares_[kMostTaken + 2] = {};
  size_t spare_count_ = 0;
};

QUARRY_TEST(RangeTreeModel, is_as_a_search_page_by_page) {
  RangeModel model(harness::seed());
  for (unsigned i = 0; i != harness::operations(kOperations) && harness::run.failures == 0; ++i) {
    model.step();
    if (i % kPerValidation == 0) model.validate();
  }
  model.validate();
}

}  // namespace
