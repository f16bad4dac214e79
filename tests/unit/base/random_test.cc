// SPDX-License-Identifier: MIT
#include "base/random.h"

#include "harness.h"

namespace {

using quarry::Random;

// Numbers of an implementation written apart from this one and checked by the vectors that the
// algorithms' authors and their users publish.
QUARRY_TEST(Random, is_the_published_sequence) {
  Random random(1);
  CHECK_EQ(random.next_u64(), uint64_t{0xb3f2af6d0fc710c5});
  CHECK_EQ(random.next_u64(), uint64_t{0x853b559647364cea});
  CHECK_EQ(random.next_u64(), uint64_t{0x92f89756082a4514});
}

QUARRY_TEST(Random, the_same_seed_gives_the_same_numbers) {
  Random a(harness::seed());
  Random b(harness::seed());
  Random c(harness::seed() + 1);
  int different = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t x = a.next_u64();
    REQUIRE_EQ(x, b.next_u64());
    different += x != c.next_u64() ? 1 : 0;
  }
  CHECK_EQ(different, 1000);
}

QUARRY_TEST(Random, numbers_fill_their_range_evenly) {
  constexpr uint32_t kBuckets = 10;
  constexpr uint32_t kDraws = 100'000;
  Random random(harness::seed());
  uint32_t buckets[kBuckets] = {};
  for (uint32_t i = 0; i < kDraws; ++i) {
    const uint32_t drawn = random.between(5, 4 + kBuckets);
    REQUIRE(drawn >= 5 && drawn < 5 + kBuckets);
    ++buckets[drawn - 5];
  }
  for (const uint32_t hits : buckets) {
    // 10 % is ten standard deviations: a failure is a fault and not bad luck.
    CHECK(hits > kDraws / kBuckets * 9 / 10 && hits < kDraws / kBuckets * 11 / 10);
  }
  CHECK_EQ(random.below(1), 0);
}

QUARRY_TEST(Random, one_in_n_happens_once_in_n) {
  Random random(harness::seed());
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) {
    hits += random.one_in(100) ? 1 : 0;
  }
  CHECK(hits > 700 && hits < 1300);
}

}  // namespace
