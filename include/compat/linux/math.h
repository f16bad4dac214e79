/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_UP((unsigned long long)(n), (d))
/* Both of unsigned numbers. */
#define DIV_ROUND_CLOSEST(n, d) (((n) + (d) / 2) / (d))

/*
 * Multiples of `y` at or above, at or below x. In round_up and round_down it is a power of two. The
 * C library has a roundup of its own (sys/param.h).
 */
#undef roundup
#ifdef __cplusplus
template <typename X, typename Y>
constexpr X round_up(X x, Y y) {
  return static_cast<X>(((x - 1) | static_cast<X>(y - 1)) + 1);
}
template <typename X, typename Y>
constexpr X round_down(X x, Y y) {
  return static_cast<X>(x & ~static_cast<X>(y - 1));
}
template <typename X, typename Y>
constexpr X roundup(X x, Y y) {
  return static_cast<X>(DIV_ROUND_UP(x, y) * y);
}
template <typename X, typename Y>
constexpr X rounddown(X x, Y y) {
  return static_cast<X>(x - x % y);
}
#else
#define round_up(x, y) ((((x)-1) | (__typeof__(x))((y)-1)) + 1)
#define round_down(x, y) ((x) & ~(__typeof__(x))((y)-1))
#define roundup(x, y) (DIV_ROUND_UP(x, y) * (y))
#define rounddown(x, y) ((x) - (x) % (y))
#endif

#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)((n)&0xffffffffU))
