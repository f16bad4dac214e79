/* SPDX-License-Identifier: MIT */
/* The C library's <string.h> and what the kernel has beside it. */
#pragma once

#if __has_include_next(<linux/string.h>)
#include_next <linux/string.h>
#endif

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/overflow.h>
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
/* What lies in the program's constants is not copied. To be freed with kfree_const(). */
const char* kstrdup_const(const char* text, gfp_t gfp);
void kfree_const(const void* text);
/* To be freed with kvfree(). */
void* kvmemdup(const void* source, size_t bytes, gfp_t gfp);
/* Null also where count * bytes overflows. */
void* kmemdup_array(const void* source, size_t count, size_t bytes, gfp_t gfp);
/* PREFIX-0, PREFIX-1, ... and a null; kfree_strarray() frees the strings and the array. */
char** kasprintf_strarray(gfp_t gfp, const char* prefix, size_t count);
void kfree_strarray(char** array, size_t count);

/* From user memory, which in a process is memory like any other; or an ERR_PTR(). */
void* memdup_user(const void __user* source, size_t bytes);
void* vmemdup_user(const void __user* source, size_t bytes);
/* With a NUL behind the bytes. */
void* memdup_user_nul(const void __user* source, size_t bytes);
/* -EINVAL: longer than `most`, NUL included. */
char* strndup_user(const char __user* text, long most);

#ifdef __cplusplus
}
#endif

/* -EOVERFLOW where count * bytes overflows. */
static inline void* memdup_array_user(const void __user* source, size_t count, size_t bytes) {
  size_t product;
  if (check_mul_overflow(count, bytes, &product)) return ERR_PTR(-EOVERFLOW);
  return memdup_user(source, product);
}
static inline void* vmemdup_array_user(const void __user* source, size_t count, size_t bytes) {
  size_t product;
  if (check_mul_overflow(count, bytes, &product)) return ERR_PTR(-EOVERFLOW);
  return vmemdup_user(source, product);
}
