/* SPDX-License-Identifier: MIT */
#pragma once

#if __has_include_next(<linux/limits.h>)
#include_next <linux/limits.h>
#endif

/* Without types of the kernel, because <limits.h> of the C library includes this header. */
#ifndef U8_MAX
#define U8_MAX ((unsigned char)~0U)
#define S8_MAX ((signed char)(U8_MAX >> 1))
#define S8_MIN ((signed char)(-S8_MAX - 1))
#define U16_MAX ((unsigned short)~0U)
#define S16_MAX ((short)(U16_MAX >> 1))
#define S16_MIN ((short)(-S16_MAX - 1))
#define U32_MAX (~0U)
#define S32_MAX ((int)(U32_MAX >> 1))
#define S32_MIN ((int)(-S32_MAX - 1))
#define U64_MAX (~0ULL)
#define S64_MAX ((long long)(U64_MAX >> 1))
#define S64_MIN ((long long)(-S64_MAX - 1))
#endif
#ifndef SIZE_MAX
#define SIZE_MAX (~(__SIZE_TYPE__)0)
#endif
