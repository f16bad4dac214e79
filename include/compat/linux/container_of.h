/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/stddef.h>

/* The structure of `type` whose `member` is at `pointer`. */
#define container_of(pointer, type, member)                                          \
  __extension__({                                                                    \
    const __typeof__(((type*)0)->member)* quarry_member = (pointer);                 \
    (type*)((char*)(unsigned long)quarry_member - __builtin_offsetof(type, member)); \
  })
