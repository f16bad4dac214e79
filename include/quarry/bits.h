// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

// Integer arithmetic that never calls a compiler library: a 32-bit x86 without popcnt has no
// instruction for a 64-bit count or division, and the core links against nothing that would
// supply one. Where the machine word is 64 bits wide the plain operator is used.
namespace quarry {

// Whether the machine divides a T in one instruction.
template <typename T>
[[nodiscard]] consteval bool divides_natively() {
  return sizeof(T) <= sizeof(uintptr_t);
}

// Position of the highest set bit counted from 1, 0 for 0 (Linux: fls).
template <std::unsigned_integral T>
[[nodiscard]] constexpr unsigned find_last_set(T x) {
  if constexpr (sizeof(T) <= sizeof(uint32_t)) {
    return 32U - static_cast<unsigned>(std::countl_zero(static_cast<uint32_t>(x)));
  } else {
    const auto high = static_cast<uint32_t>(x >> 32);
    return high != 0 ? 32U + find_last_set(high) : find_last_set(static_cast<uint32_t>(x));
  }
}

// Position of the lowest set bit counted from 1, 0 for 0 (Linux: ffs).
template <std::unsigned_integral T>
[[nodiscard]] constexpr unsigned find_first_set(T x) {
  if (x == 0) {
    return 0;
  }
  if constexpr (sizeof(T) <= sizeof(uint32_t)) {
    return 1U + static_cast<unsigned>(std::countr_zero(static_cast<uint32_t>(x)));
  } else {
    const auto low = static_cast<uint32_t>(x);
    return low != 0 ? find_first_set(low) : 32U + find_first_set(static_cast<uint32_t>(x >> 32));
  }
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr unsigned popcount(T x) {
  if constexpr (sizeof(T) > sizeof(uint32_t)) {
    return popcount(static_cast<uint32_t>(x)) + popcount(static_cast<uint32_t>(x >> 32));
  } else {
    uint32_t v = x;
    v = v - ((v >> 1) & 0x55555555U);
    v = (v & 0x33333333U) + ((v >> 2) & 0x33333333U);
    v = (v + (v >> 4)) & 0x0f0f0f0fU;
    return (v * 0x01010101U) >> 24;
  }
}

// floor(log2(x)). Requires x > 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr unsigned ilog2(T x) {
  return find_last_set(x) - 1;
}

// False for 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_power_of_two(T x) {
  return x != 0 && (x & (x - 1)) == 0;
}

// The next multiple of `alignment`, a power of two, at or below x.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T round_down(T x, std::type_identity_t<T> alignment) {
  return static_cast<T>(x & ~static_cast<T>(alignment - 1));
}

// The next multiple of `alignment`, a power of two, at or above x; 0 if T cannot hold it.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T round_up(T x, std::type_identity_t<T> alignment) {
  const auto mask = static_cast<T>(alignment - 1);
  return static_cast<T>(static_cast<T>(x + mask) & static_cast<T>(~mask));
}

// The smallest power of two at or above x: 1 for 0, and 0 if T cannot hold it.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T round_up_pow2(T x) {
  const unsigned shift = x <= 1 ? 0 : find_last_set(static_cast<T>(x - 1));
  return shift >= std::numeric_limits<T>::digits ? T{0} : static_cast<T>(T{1} << shift);
}

// The largest power of two at or below x. Requires x > 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T round_down_pow2(T x) {
  return static_cast<T>(T{1} << ilog2(x));
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_aligned(T x, std::type_identity_t<T> alignment) {
  return (x & (alignment - 1)) == 0;
}

// n / divisor rounded up. Requires divisor > 0. A 64-bit n on a 32-bit machine takes div_u64.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T ceil_div(T n, std::type_identity_t<T> divisor) {
  static_assert(divides_natively<T>());
  return static_cast<T>(n / divisor + (n % divisor != 0 ? 1 : 0));
}

struct QuotientU64 {
  uint64_t quotient;
  uint32_t remainder;
};

// One digit of a long division in base 2^32, (remainder * 2^32 + digit) / divisor, one bit a
// step. Requires remainder < divisor, so that the quotient is one digit.
[[nodiscard]] constexpr QuotientU64 divide_digit_by_bits(uint32_t remainder, uint32_t digit,
                                                         uint32_t divisor) {
  uint32_t quotient = 0;
  uint64_t rest = remainder;
  for (unsigned bit = 32; bit-- > 0;) {
    rest = (rest << 1) | ((digit >> bit) & 1U);
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1U;
    }
  }
  return {quotient, static_cast<uint32_t>(rest)};
}

// The same, in one instruction where there is one.
[[nodiscard]] constexpr QuotientU64 divide_digit(uint32_t remainder, uint32_t digit,
                                                 uint32_t divisor) {
  if constexpr (divides_natively<uint64_t>()) {
    const uint64_t n = (uint64_t{remainder} << 32) | digit;
    return {n / divisor, static_cast<uint32_t>(n % divisor)};
  } else {
    return divide_digit_by_bits(remainder, digit, divisor);
  }
}

// Requires divisor > 0.
[[nodiscard]] constexpr QuotientU64 div_rem_u64(uint64_t n, uint32_t divisor) {
  if constexpr (divides_natively<uint64_t>()) {
    return {n / divisor, static_cast<uint32_t>(n % divisor)};
  } else {
    const auto high = static_cast<uint32_t>(n >> 32);
    const auto low = static_cast<uint32_t>(n);
    const QuotientU64 digit = divide_digit(high % divisor, low, divisor);
    return {(uint64_t{high / divisor} << 32) | digit.quotient, digit.remainder};
  }
}

// n / divisor rounded down. Requires divisor > 0.
[[nodiscard]] constexpr uint64_t div_u64(uint64_t n, uint32_t divisor) {
  return div_rem_u64(n, divisor).quotient;
}

// n * factor / divisor rounded down; the product has 96 bits and is exact. Requires divisor > 0
// and a quotient that 64 bits hold.
[[nodiscard]] constexpr uint64_t muldiv(uint64_t n, uint32_t factor, uint32_t divisor) {
  const uint64_t low = uint64_t{static_cast<uint32_t>(n)} * factor;
  const uint64_t high = (n >> 32) * factor + (low >> 32);
  const QuotientU64 upper = div_rem_u64(high, divisor);
  const QuotientU64 lower = divide_digit(upper.remainder, static_cast<uint32_t>(low), divisor);
  return (upper.quotient << 32) + lower.quotient;
}

// floor(sqrt(x)), one result bit a step.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T isqrt(T x) {
  T root = 0;
  T rest = x;
  for (T bit = T{1} << (std::numeric_limits<T>::digits - 2); bit != 0; bit >>= 2) {
    const T candidate = root + bit;
    root >>= 1;
    if (rest >= candidate) {
      rest -= candidate;
      root += bit;
    }
  }
  return root;
}

}  // namespace quarry
