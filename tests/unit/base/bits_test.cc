// SPDX-License-Identifier: MIT
#include "base/bits.h"

#include "base/random.h"
#include "harness.h"

namespace {

using quarry::Random;

constexpr uint64_t kAll = ~uint64_t{0};

static_assert(quarry::find_last_set(0U) == 0 && quarry::find_first_set(0U) == 0);
static_assert(quarry::find_last_set(1U) == 1 && quarry::find_first_set(1U) == 1);
static_assert(quarry::find_last_set(0x80000000U) == 32);
static_assert(quarry::find_last_set(uint8_t{0x80}) == 8);
static_assert(quarry::find_last_set(uint64_t{1} << 32) == 33);
static_assert(quarry::find_first_set(uint64_t{1} << 63) == 64);
static_assert(quarry::ilog2(4096U) == 12 && quarry::ilog2(4097U) == 12 && quarry::ilog2(1U) == 0);
static_assert(quarry::popcount(kAll) == 64 && quarry::popcount(uint8_t{0xff}) == 8);
static_assert(!quarry::is_power_of_two(0U) && quarry::is_power_of_two(uint64_t{1} << 40));
static_assert(quarry::round_up(4097U, 4096) == 8192 && quarry::round_down(8191U, 4096) == 4096);
static_assert(quarry::round_up(0xffffffffU, 4096) == 0);
static_assert(quarry::round_up(uint16_t{0x1001}, 0x1000) == 0x2000);
static_assert(quarry::round_up_pow2(0U) == 1 && quarry::round_up_pow2(5U) == 8);
static_assert(quarry::round_up_pow2(0x80000000U) == 0x80000000U);
static_assert(quarry::round_up_pow2(0x80000001U) == 0);
static_assert(quarry::round_down_pow2(uint64_t{0x1ffffffff}) == uint64_t{1} << 32);
static_assert(quarry::is_aligned(4096U, 4096) && !quarry::is_aligned(4100U, 4096));
static_assert(quarry::ceil_div(0U, 8) == 0 && quarry::ceil_div(9U, 8) == 2);
static_assert(quarry::ceil_div(0xffffffffU, 2) == 0x80000000U);
static_assert(quarry::isqrt(0U) == 0 && quarry::isqrt(15U) == 3 && quarry::isqrt(16U) == 4);
static_assert(quarry::isqrt(kAll) == 0xffffffff);
static_assert(quarry::muldiv(kAll, 0xffffffff, 0xffffffff) == kAll);
static_assert(quarry::muldiv(kAll, 1000, 100'000) == kAll / 100);

QUARRY_TEST(Bits, counts_agree_with_a_bit_by_bit_count) {
  Random random(harness::seed());
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t x = random.next_u64() & (kAll >> random.below(64));
    unsigned ones = 0;
    unsigned last = 0;
    unsigned first = 0;
    for (unsigned bit = 0; bit < 64; ++bit) {
      if (((x >> bit) & 1) != 0) {
        ++ones;
        last = bit + 1;
        first = first == 0 ? bit + 1 : first;
      }
    }
    REQUIRE_EQ(quarry::popcount(x), ones);
    REQUIRE_EQ(quarry::find_last_set(x), last);
    REQUIRE_EQ(quarry::find_first_set(x), first);
  }
}

// The digit by digit division of a 32-bit machine, which this one has no need of.
constexpr quarry::QuotientU64 divide_bit_by_bit(uint64_t n, uint32_t divisor) {
  const auto high = static_cast<uint32_t>(n >> 32);
  const auto low = quarry::divide_digit_by_bits(high % divisor, static_cast<uint32_t>(n), divisor);
  return {(uint64_t{high / divisor} << 32) | low.quotient, low.remainder};
}
static_assert(divide_bit_by_bit(kAll, 10).quotient == kAll / 10);

QUARRY_TEST(Bits, division_agrees_with_the_cpu) {
  Random random(harness::seed());
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t n = random.next_u64() >> random.below(64);
    const uint32_t divisor = (random.next_u32() >> random.below(32)) | 1U;
    const quarry::QuotientU64 digits = divide_bit_by_bit(n, divisor);
    const quarry::QuotientU64 chosen = quarry::div_rem_u64(n, divisor);
    REQUIRE_EQ(chosen.quotient * divisor + chosen.remainder, n);
    REQUIRE(chosen.remainder < divisor);
    REQUIRE_EQ(digits.quotient, chosen.quotient);
    REQUIRE_EQ(digits.remainder, chosen.remainder);
  }
}

QUARRY_TEST(Bits, muldiv_is_exact) {
  Random random(harness::seed());
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t n = random.next_u64() >> random.below(64);
    const uint32_t divisor = (random.next_u32() >> random.below(32)) | 1U;
    const uint32_t factor = random.below(divisor) + 1;  // the quotient is at most n
    const uint64_t quotient = quarry::muldiv(n, factor, divisor);
    // n * factor - quotient * divisor is the remainder, modulo 2^64 and in truth.
    REQUIRE(n * factor - quotient * divisor < divisor);
    REQUIRE(quotient <= n);
  }
}

QUARRY_TEST(Bits, isqrt_is_the_floor) {
  Random random(harness::seed());
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t x = random.next_u64() >> random.below(64);
    const uint64_t root = quarry::isqrt(x);
    REQUIRE(root * root <= x);
    REQUIRE(root == 0xffffffff || (root + 1) * (root + 1) > x);
    const auto narrow = static_cast<uint32_t>(x);
    REQUIRE_EQ(quarry::isqrt(narrow), quarry::isqrt(uint64_t{narrow}));
  }
}

}  // namespace
