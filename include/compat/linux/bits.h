/* SPDX-License-Identifier: MIT */
#pragma once

#define BITS_PER_BYTE 8
#ifndef BITS_PER_LONG
#define BITS_PER_LONG (BITS_PER_BYTE * __SIZEOF_LONG__)
#endif
#define BITS_PER_LONG_LONG 64

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
/* The bits from `low` to `high`, both included. */
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL(high, low) ((~0ULL << (low)) & (~0ULL >> (63 - (high))))
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
