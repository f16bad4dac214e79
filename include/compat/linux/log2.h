/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

/* floor(log2(n)); n is not 0. */
#ifdef __cplusplus
constexpr int ilog2(unsigned long long n) { return 63 - __builtin_clzll(n); }
#else
#define ilog2(n) (63 - __builtin_clzll((unsigned long long)(n)))
#endif

static inline bool is_power_of_2(unsigned long n) { return n != 0 && (n & (n - 1)) == 0; }
/* n is not 0 and the result fits. */
static inline unsigned long roundup_pow_of_two(unsigned long n) {
  return n == 1 ? 1 : 1UL << (ilog2(n - 1) + 1);
}
static inline unsigned long rounddown_pow_of_two(unsigned long n) { return 1UL << ilog2(n); }
static inline unsigned int order_base_2(unsigned long n) {
  return n > 1 ? (unsigned int)ilog2(n - 1) + 1 : 0;
}
