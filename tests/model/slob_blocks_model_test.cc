// SPDX-License-Identifier: MIT
// Random blocks of one page of SLOB against a map of its units: the same places by the plainest
// search, and free blocks that are just the runs of free units.
#include "base/random.h"
#include "harness.h"
#include "kmem/slob/slob_blocks.h"

namespace {

using quarry::kSlobUnits;
using quarry::Random;
using quarry::SlobBlocks;
using quarry::SlobFree;
using quarry::SlobWish;

constexpr unsigned kOperations = 400'000;
constexpr unsigned kMostBlocks = 300;

class BlocksModel {
 public:
  explicit BlocksModel(uint64_t seed) : random_(seed) {
    blocks_.init();
    for (bool& free : is_free_) free = true;
  }

  void run() {
    for (unsigned i = 0; i != harness::operations(kOperations) && harness::run.failures == 0; ++i) {
      if (random_.one_in(3000)) take_percent_ = random_.between(20, 80);
      random_.below(100) < take_percent_ ? take() : put_one();
      compare();
    }
    while (count_ != 0) put_one();
    compare();
    CHECK_EQ(free_.units, kSlobUnits);
  }

 private:
  struct Taken {
    unsigned at;
    unsigned units;
  };

  // The first run of free units that has room for it.
  unsigned naive_first_fit(const SlobWish& wish) const {
    for (unsigned at = 0; at != kSlobUnits; ++at) {
      if ((at + wish.align_at) % wish.align != 0) continue;
      unsigned length = 0;
      while (at + length != kSlobUnits && is_free_[at + length] && length != wish.units) ++length;
      if (length == wish.units) return at;
    }
    return SlobBlocks::kNone;
  }

  void take() {
    if (count_ == kMostBlocks) return;
    SlobWish wish{random_.one_in(4) ? 1 : random_.between(1, 60), 1, 0};
    if (random_.one_in(20)) wish.units = random_.between(1, kSlobUnits);
    if (random_.one_in(2)) {
      wish.align = 1U << random_.below(11);
      wish.align_at = random_.one_in(2) ? 4 : 0;
    }
    const unsigned wanted = naive_first_fit(wish);
    const bool may_fit = wish.units <= free_.bound;
    const unsigned at = blocks_.take(wish);
    CHECK_EQ(at, wanted);
    if (at == SlobBlocks::kNone) return;
    CHECK(may_fit);  // whoever looks at the bound first misses nothing
    set(at, wish.units, false);
    taken_[count_++] = {at, wish.units};
  }

  void put_one() {
    if (count_ == 0) return;
    const unsigned index = random_.below(count_);
    const Taken block = taken_[index];
    taken_[index] = taken_[--count_];
    if (free_.units == 0) {
      blocks_.make_only(block.at, block.units);
    } else {
      CHECK(blocks_.put(block.at, block.units));
    }
    set(block.at, block.units, true);
    // Once more, or with more than it had, is refused.
    if (random_.one_in(8)) CHECK(!blocks_.put(block.at, random_.between(1, block.units)));
  }

  void set(unsigned at, unsigned units, bool free) {
    for (unsigned i = at; i != at + units; ++i) is_free_[i] = free;
  }

  void compare() {
    unsigned at = 0;
    unsigned units = 0;
    const bool sound = blocks_.for_each([&](unsigned begin, unsigned length) {
      while (at != begin) CHECK(at < kSlobUnits && !is_free_[at++]);
      while (at != begin + length) CHECK(is_free_[at++]);
      CHECK(length <= free_.bound);
      units += length;
    });
    CHECK(sound);
    while (at != kSlobUnits) CHECK(!is_free_[at++]);
    CHECK_EQ(free_.units, units);
    CHECK(free_.bound <= units);
  }

  Random random_;
  unsigned take_percent_ = 60;
  alignas(quarry::kPageBytes) unsigned char page_[quarry::kPageBytes];
  SlobFree free_{};
  SlobBlocks blocks_{page_, free_};
  bool is_free_[kSlobUnits];
  Taken taken_[kMostBlocks];
  unsigned count_ = 0;
};

QUARRY_TEST(SlobBlocksModel, places_and_runs_are_those_of_a_map_of_units) {
  BlocksModel(harness::seed()).run();
}

}  // namespace
