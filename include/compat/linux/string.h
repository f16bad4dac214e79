/* SPDX-License-Identifier: MIT */
/* The C library's <string.h> and what the kernel has beside it. */
#pragma once

#if __has_include_next(<linux/string.h>)
#include_next <linux/string.h>
#endif

#include <linux/errno.h>
#include <linux/types.h>
#include <string.h>

/* Not left out by the compiler although nobody reads the memory again. */
static inline void memzero_explicit(void* memory, size_t bytes) {
  memset(memory, 0, bytes);
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

#ifdef __cplusplus
extern "C" {
#endif

/* Copies as much as fits; the copy always ends. Characters copied, -E2BIG if not all of them. */
ssize_t strscpy(char* to, const char* from, size_t room);

/* New copies, to be freed with kfree(). Null: out of memory, or nothing to copy. */
char* kstrdup(const char* text, gfp_t gfp);
/* Of at most `most` characters. */
char* kstrndup(const char* text, size_t most, gfp_t gfp);
void* kmemdup(const void* source, size_t bytes, gfp_t gfp);
/* With a NUL behind the bytes. */
char* kmemdup_nul(const char* source, size_t bytes, gfp_t gfp);
/* To be freed with kfree_const(). */
const char* kstrdup_const(const char* text, gfp_t gfp);
void kfree_const(const void* text);

#ifdef __cplusplus
}
#endif
