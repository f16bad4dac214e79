/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/printk.h>

QUARRY_DECLARATIONS_BEGIN

/* "kernel BUG at file:line!" with a backtrace, then the program stops (SIGABRT). */
void quarry_bug(const char* file, int line) __attribute__((__noreturn__)) __cold;
/* "WARNING: ... at file:line function" with a backtrace; the second form has a text above it. */
void quarry_warn(const char* file, int line, const char* function) __cold;
void quarry_warn_text(const char* file, int line, const char* function, const char* format, ...)
    __printf(4, 5) __cold;

QUARRY_DECLARATIONS_END

#define BUG() quarry_bug(__FILE__, __LINE__)
#define BUG_ON(condition)           \
  do {                              \
    if (unlikely(condition)) BUG(); \
  } while (0)

#define QUARRY_WARN_IF(condition, report)     \
  __extension__({                             \
    const bool quarry_warned = !!(condition); \
    if (unlikely(quarry_warned)) report;      \
    unlikely(quarry_warned);                  \
  })
#define QUARRY_WARN_ONCE_IF(condition, report)                            \
  __extension__({                                                         \
    static bool quarry_reported;                                          \
    const bool quarry_warned = !!(condition);                             \
    if (unlikely(quarry_warned) &&                                        \
        !__atomic_exchange_n(&quarry_reported, true, __ATOMIC_RELAXED)) { \
      report;                                                             \
    }                                                                     \
    unlikely(quarry_warned);                                              \
  })

/* All of them have the condition's value; the _ONCE forms report the first time only. */
#define WARN_ON(condition) QUARRY_WARN_IF(condition, quarry_warn(__FILE__, __LINE__, __func__))
#define WARN(condition, ...) \
  QUARRY_WARN_IF(condition, quarry_warn_text(__FILE__, __LINE__, __func__, __VA_ARGS__))
#define WARN_ON_ONCE(condition) \
  QUARRY_WARN_ONCE_IF(condition, quarry_warn(__FILE__, __LINE__, __func__))
#define WARN_ONCE(condition, ...) \
  QUARRY_WARN_ONCE_IF(condition, quarry_warn_text(__FILE__, __LINE__, __func__, __VA_ARGS__))
