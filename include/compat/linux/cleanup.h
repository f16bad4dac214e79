/* SPDX-License-Identifier: MIT */
/*
 * Variables that clean up when their scope ends.
 *
 *   void *buffer __free(kfree) = kmalloc(100, GFP_KERNEL);
 *   ...
 *   return_ptr(buffer);	 is the caller's now
 */
#pragma once

#include <linux/compiler.h>

/* `cleanup` is a statement about the variable's value _T. */
#define DEFINE_FREE(name, type, cleanup)                            \
  static inline __maybe_unused void __free_##name(void* variable) { \
    type _T = *(type*)variable;                                     \
    cleanup;                                                        \
  }
#define __free(name) __attribute__((__cleanup__(__free_##name)))

/* The value; the variable becomes null and cleans nothing up. */
#define no_free_ptr(variable)                      \
  __extension__({                                  \
    __typeof__(variable) quarry_kept = (variable); \
    (variable) = NULL;                             \
    quarry_kept;                                   \
  })
#define return_ptr(variable) return no_free_ptr(variable)
/* For what somebody else keeps from now on without a new owner's name. */
#define retain_and_null_ptr(variable) ((void)no_free_ptr(variable))

/* A type with an end: CLASS(name, variable)(arguments of init). */
#define DEFINE_CLASS(name, type, end, begin, ...)                               \
  typedef type class_##name##_t;                                                \
  static inline __maybe_unused void class_##name##_destructor(type* variable) { \
    type _T = *variable;                                                        \
    end;                                                                        \
  }                                                                             \
  static inline __maybe_unused type class_##name##_constructor(__VA_ARGS__) {   \
    type quarry_value = begin;                                                  \
    return quarry_value;                                                        \
  }
#define CLASS(name, variable)                                                         \
  class_##name##_t variable __attribute__((__cleanup__(class_##name##_destructor))) = \
      class_##name##_constructor
