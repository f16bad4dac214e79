/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

/* 0: free. A lock of all zeros is ready for use. */
typedef struct spinlock {
  u32 quarry_word;
} spinlock_t;
typedef spinlock_t raw_spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name) \
  { 0 }
#define DEFINE_SPINLOCK(name) spinlock_t name = __SPIN_LOCK_UNLOCKED(name)
#define DEFINE_RAW_SPINLOCK(name) raw_spinlock_t name = __SPIN_LOCK_UNLOCKED(name)
