/* SPDX-License-Identifier: MIT */
/*
 * The kernel's names of types. u64 is unsigned long long on every machine, as in the kernel;
 * uint64_t is what the C library makes it.
 */
#pragma once

#if __has_include_next(<linux/types.h>)
#include_next <linux/types.h>
#endif

#include <linux/stddef.h>
#include <quarry/abi/list_head.h>
#include <quarry/abi/rcu_head.h>
#include <stdint.h>
#include <sys/types.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef phys_addr_t resource_size_t;
typedef unsigned long pgoff_t;
typedef u64 sector_t;
typedef unsigned short umode_t;
#ifdef __GLIBC__
/* Strict C leaves out what POSIX does not name. */
typedef __loff_t loff_t;
#endif

typedef struct {
  int counter;
} atomic_t;

typedef struct {
  s64 counter;
} atomic64_t;

struct hlist_node {
  struct hlist_node *next, **pprev;
};

struct hlist_head {
  struct hlist_node* first;
};

#define rcu_head callback_head
typedef void (*rcu_callback_t)(struct rcu_head* head);
