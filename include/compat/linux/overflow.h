/* SPDX-License-Identifier: MIT */
/* Sizes that do not wrap: what is too large saturates at SIZE_MAX, which no allocator grants. */
#pragma once

#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/types.h>

#define check_add_overflow(a, b, result) __builtin_add_overflow(a, b, result)
#define check_sub_overflow(a, b, result) __builtin_sub_overflow(a, b, result)
#define check_mul_overflow(a, b, result) __builtin_mul_overflow(a, b, result)

static inline size_t size_mul(size_t a, size_t b) {
  size_t bytes;
  return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}
static inline size_t size_add(size_t a, size_t b) {
  size_t bytes;
  return __builtin_add_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}
#define array_size(count, bytes) size_mul(count, bytes)
#define array3_size(a, b, c) size_mul(size_mul(a, b), c)
#define flex_array_size(pointer, member, count) size_mul(count, sizeof(*(pointer)->member))
/* Bytes of a structure whose last member is an array of `count`. */
#define struct_size(pointer, member, count) \
  size_add(sizeof(*(pointer)), flex_array_size(pointer, member, count))
#define struct_size_t(type, member, count) \
  size_add(sizeof(type), size_mul(count, sizeof(((type*)0)->member[0])))
