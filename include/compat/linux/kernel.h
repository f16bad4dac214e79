/* SPDX-License-Identifier: MIT */
/* What kernel code takes for granted. A superset of the system's header of this name. */
#pragma once

#if __has_include_next(<linux/kernel.h>)
#include_next <linux/kernel.h>
#endif

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/types.h>

#ifdef __cplusplus
template <typename T, size_t N>
constexpr size_t quarry_array_size(const T (&)[N]) {
  return N;
}
#define ARRAY_SIZE(array) quarry_array_size(array)
#else
/* A pointer instead of an array does not compile. */
#define ARRAY_SIZE(array)               \
  (sizeof(array) / sizeof((array)[0]) + \
   (size_t)BUILD_BUG_ON_ZERO(__same_type((array), &(array)[0])))
#endif

QUARRY_DECLARATIONS_BEGIN

/* A new string; free it with kfree(). Null: out of memory. */
char* kasprintf(gfp_t gfp, const char* format, ...) __printf(2, 3);
char* kvasprintf(gfp_t gfp, const char* format, va_list args) __printf(2, 0);
/* As kstrdup_const() of a format without conversions, or of the string of "%s". */
const char* kvasprintf_const(gfp_t gfp, const char* format, va_list args) __printf(2, 0);
const char* kasprintf_const(gfp_t gfp, const char* format, ...) __printf(2, 3);

QUARRY_DECLARATIONS_END
