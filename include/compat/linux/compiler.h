/* SPDX-License-Identifier: MIT */
/*
 * Compiler words of kernel code.
 *
 * In C++ all these headers leave alone the words that its standard library uses as names of its own
 * (__init, __force, noinline, fallthrough), and what the kernel has as macros of short lower-case
 * names (min, round_up, virt_to_page) are functions there.
 */
#pragma once

#ifdef __cplusplus
#define QUARRY_DECLARATIONS_BEGIN extern "C" {
#define QUARRY_DECLARATIONS_END }
#define QUARRY_STATIC_ASSERT(condition, message) static_assert(condition, message)
#define QUARRY_CONSTEXPR constexpr
#else
#define QUARRY_DECLARATIONS_BEGIN
#define QUARRY_DECLARATIONS_END
#define QUARRY_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#define QUARRY_CONSTEXPR
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
static inline void barrier(void) { __asm__ __volatile__("" ::: "memory"); }

/* One access, neither torn, repeated nor left out, for scalars of up to a word. */
#define READ_ONCE(x) (*(const volatile __typeof__(x)*)&(x))
#define WRITE_ONCE(x, value) ((void)(*(volatile __typeof__(x)*)&(x) = (value)))

#define __same_type(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

#define __stringify_1(...) #__VA_ARGS__
#define __stringify(...) __stringify_1(__VA_ARGS__)

#ifndef __always_inline
#define __always_inline __inline__ __attribute__((__always_inline__))
#endif
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#ifndef __aligned
#define __aligned(x) __attribute__((__aligned__(x)))
#endif
#ifndef __printf
#define __printf(format, first) __attribute__((__format__(__printf__, format, first)))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((__unused__))
#endif
#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif
#ifndef __alloc_size
#define __alloc_size(...) __attribute__((__alloc_size__(__VA_ARGS__)))
#endif
#ifndef __cold
#define __cold __attribute__((__cold__))
#endif
#ifndef __weak
#define __weak __attribute__((__weak__))
#endif
#define __user
#define __iomem
#define __rcu
#define __percpu

#ifndef __cplusplus
#ifndef noinline
#define noinline __attribute__((__noinline__))
#endif
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#define __force
#define __used __attribute__((__used__))
#endif
