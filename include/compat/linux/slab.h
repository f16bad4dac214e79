/* SPDX-License-Identifier: MIT */
/*
 * Objects: kmalloc and caches of equal objects. Null means out of memory and nothing else. With
 * __GFP_DIRECT_RECLAIM (GFP_KERNEL has it) a call may sleep; with GFP_ATOMIC it may be made in any
 * context but NMI.
 */
#pragma once

#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab/buckets.h>
#include <linux/slab/sheaf.h>
#include <linux/string.h>
#include <linux/types.h>
#include <quarry/abi/kmem_cache.h>

/* What a size of 0 gives: not null, may be freed, must not be used. */
#define ZERO_SIZE_PTR ((void*)16)
#define ZERO_OR_NULL_PTR(x) ((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

/* Up to KMALLOC_MAX_CACHE_SIZE from size classes, above that whole pages. */
#define KMALLOC_SHIFT_LOW 3
#define KMALLOC_SHIFT_HIGH (PAGE_SHIFT + 1)
#define KMALLOC_SHIFT_MAX (MAX_ORDER + PAGE_SHIFT - 1)
#define KMALLOC_MIN_SIZE (1 << KMALLOC_SHIFT_LOW)
#define KMALLOC_MAX_CACHE_SIZE (1UL << KMALLOC_SHIFT_HIGH)
#define KMALLOC_MAX_SIZE (1UL << KMALLOC_SHIFT_MAX)
#define KMALLOC_MAX_ORDER (KMALLOC_SHIFT_MAX - PAGE_SHIFT)
/* Powers of two are aligned to their size. */
#define ARCH_KMALLOC_MINALIGN 8
#define ARCH_SLAB_MINALIGN 8

QUARRY_DECLARATIONS_BEGIN

void* __kmalloc(size_t bytes, gfp_t gfp) __alloc_size(1);
void* __kmalloc_node(size_t bytes, gfp_t gfp, int node) __alloc_size(1);
/* Whole pages of a power of two, whatever the size. */
void* kmalloc_large(size_t bytes, gfp_t gfp) __alloc_size(1);
void* kmalloc_large_node(size_t bytes, gfp_t gfp, int node) __alloc_size(1);
/* For a function that allocates on behalf of its caller: reports and tracks name `caller`. */
void* __kmalloc_node_track_caller(size_t bytes, gfp_t gfp, int node, unsigned long caller)
    __alloc_size(1);
/* From the size class of `bytes`, in the order 8 16 32 64 96 128 192 256 512 1K 2K 4K 8K. */
void* quarry_kmalloc_class(unsigned int size_class, gfp_t gfp, size_t bytes);

/* Null memory: kmalloc. 0 bytes: frees. Null result: the memory is as it was. */
void* krealloc(const void* memory, size_t bytes, gfp_t gfp) __must_check __alloc_size(2);

/* Null and ZERO_SIZE_PTR are no-ops. What is nobody's object is reported and left alone. */
void kfree(const void* object);
/* Clears the object first. */
void kfree_sensitive(const void* object);
void kfree_bulk(size_t count, void** objects);

/* Usable bytes of the object: at least what was asked for; 0 for null and ZERO_SIZE_PTR. */
size_t ksize(const void* object);
size_t __ksize(const void* object);
/* What kmalloc(bytes) really occupies. */
size_t kmalloc_size_roundup(size_t bytes);

/* kmalloc where that works without effort, vmalloc otherwise; __GFP_DIRECT_RECLAIM for the latter.
 */
void* kvmalloc_node(size_t bytes, gfp_t gfp, int node) __alloc_size(1);
/* Null is a no-op. */
void kvfree(const void* address);
void kvfree_sensitive(const void* address, size_t bytes);
/* Grows only; moves by copying `old_bytes`. Null: out of memory, the old memory is as it was. */
void* kvrealloc(const void* memory, size_t old_bytes, size_t bytes, gfp_t gfp) __alloc_size(3);

QUARRY_DECLARATIONS_END

/* For `bytes` from 1 to KMALLOC_MAX_CACHE_SIZE; folds to a number where that is a constant. */
static __always_inline QUARRY_CONSTEXPR unsigned int quarry_size_class(size_t bytes) {
  return bytes <= 8      ? 0
         : bytes <= 16   ? 1
         : bytes <= 32   ? 2
         : bytes <= 64   ? 3
         : bytes <= 96   ? 4
         : bytes <= 128  ? 5
         : bytes <= 192  ? 6
         : bytes <= 256  ? 7
         : bytes <= 512  ? 8
         : bytes <= 1024 ? 9
         : bytes <= 2048 ? 10
         : bytes <= 4096 ? 11
                         : 12;
}

static __always_inline void* kmalloc(size_t bytes, gfp_t gfp) {
  if (__builtin_constant_p(bytes) && bytes != 0 && bytes <= KMALLOC_MAX_CACHE_SIZE) {
    return quarry_kmalloc_class(quarry_size_class(bytes), gfp, bytes);
  }
  return __kmalloc(bytes, gfp);
}
static __always_inline void* kzalloc(size_t bytes, gfp_t gfp) {
  return kmalloc(bytes, gfp | __GFP_ZERO);
}
static inline void* kmalloc_node(size_t bytes, gfp_t gfp, int node) {
  return __kmalloc_node(bytes, gfp, node);
}
static inline void* kzalloc_node(size_t bytes, gfp_t gfp, int node) {
  return __kmalloc_node(bytes, gfp | __GFP_ZERO, node);
}
#define kmalloc_node_track_caller(bytes, gfp, node) \
  __kmalloc_node_track_caller(bytes, gfp, node, (unsigned long)__builtin_return_address(0))
#define kmalloc_track_caller(bytes, gfp) kmalloc_node_track_caller(bytes, gfp, NUMA_NO_NODE)

/* Null, without a report, where count * bytes overflows. */
static __always_inline void* kmalloc_array(size_t count, size_t bytes, gfp_t gfp) {
  size_t product;
  if (unlikely(check_mul_overflow(count, bytes, &product))) return NULL;
  return kmalloc(product, gfp);
}
static __always_inline void* kcalloc(size_t count, size_t bytes, gfp_t gfp) {
  return kmalloc_array(count, bytes, gfp | __GFP_ZERO);
}
static inline void* kmalloc_array_node(size_t count, size_t bytes, gfp_t gfp, int node) {
  size_t product;
  if (unlikely(check_mul_overflow(count, bytes, &product))) return NULL;
  return kmalloc_node(product, gfp, node);
}
static inline void* kcalloc_node(size_t count, size_t bytes, gfp_t gfp, int node) {
  return kmalloc_array_node(count, bytes, gfp | __GFP_ZERO, node);
}
static inline void* __must_check krealloc_array(void* memory, size_t count, size_t bytes,
                                                gfp_t gfp) {
  size_t product;
  if (unlikely(check_mul_overflow(count, bytes, &product))) return NULL;
  return krealloc(memory, product, gfp);
}

static inline void* kvmalloc(size_t bytes, gfp_t gfp) {
  return kvmalloc_node(bytes, gfp, NUMA_NO_NODE);
}
static inline void* kvzalloc(size_t bytes, gfp_t gfp) { return kvmalloc(bytes, gfp | __GFP_ZERO); }
static inline void* kvzalloc_node(size_t bytes, gfp_t gfp, int node) {
  return kvmalloc_node(bytes, gfp | __GFP_ZERO, node);
}
/* Null where the product overflows. */
static inline void* kvmalloc_array(size_t count, size_t bytes, gfp_t gfp) {
  size_t product;
  return check_mul_overflow(count, bytes, &product) ? NULL : kvmalloc(product, gfp);
}
static inline void* kvcalloc(size_t count, size_t bytes, gfp_t gfp) {
  return kvmalloc_array(count, bytes, gfp | __GFP_ZERO);
}
static inline void* kvmalloc_array_node(size_t count, size_t bytes, gfp_t gfp, int node) {
  size_t product;
  return check_mul_overflow(count, bytes, &product) ? NULL : kvmalloc_node(product, gfp, node);
}
static inline void* kvcalloc_node(size_t count, size_t bytes, gfp_t gfp, int node) {
  return kvmalloc_array_node(count, bytes, gfp | __GFP_ZERO, node);
}

/* In any context; here vfree() is so too. */
static inline void kvfree_atomic(const void* address) { kvfree(address); }

/* void *buffer __free(kfree) = ... */
DEFINE_FREE(kfree, void*, if (!IS_ERR_OR_NULL(_T)) kfree(_T))
DEFINE_FREE(kvfree, void*, if (!IS_ERR_OR_NULL(_T)) kvfree(_T))

/*
 * Objects of a variable's or expression's type, or of a named one, as pointers to it:
 *
 *   struct entry *entry = kmalloc_obj(*entry);
 *   struct entry *table = kzalloc_objs(struct entry, count, GFP_ATOMIC);
 *   struct packet *packet = kmalloc_flex(*packet, payload, bytes);
 *
 * The flags are GFP_KERNEL where they are left out. The flexible member's array has `count`
 * elements. Null, without a report, where the size overflows.
 */
#define QUARRY_GFP_1(gfp) (gfp)
#define QUARRY_GFP_0() GFP_KERNEL
#define QUARRY_CHOOSE_GFP(_1, _2, form, ...) form
#define default_gfp(...) \
  QUARRY_CHOOSE_GFP(_0, ##__VA_ARGS__, QUARRY_GFP_1, QUARRY_GFP_0, )(__VA_ARGS__)
#define QUARRY_ALLOC_OBJS(allocate, type, count, gfp) \
  ((__typeof__(type)*)allocate(size_mul(sizeof(type), count), gfp))
#define QUARRY_ALLOC_FLEX(allocate, type, member, count, gfp) \
  ((__typeof__(type)*)allocate(struct_size_t(__typeof__(type), member, count), gfp))

#define kmalloc_obj(type, ...) QUARRY_ALLOC_OBJS(kmalloc, type, 1, default_gfp(__VA_ARGS__))
#define kmalloc_objs(type, count, ...) \
  QUARRY_ALLOC_OBJS(kmalloc, type, count, default_gfp(__VA_ARGS__))
#define kmalloc_flex(type, member, count, ...) \
  QUARRY_ALLOC_FLEX(kmalloc, type, member, count, default_gfp(__VA_ARGS__))
#define kzalloc_obj(type, ...) QUARRY_ALLOC_OBJS(kzalloc, type, 1, default_gfp(__VA_ARGS__))
#define kzalloc_objs(type, count, ...) \
  QUARRY_ALLOC_OBJS(kzalloc, type, count, default_gfp(__VA_ARGS__))
#define kzalloc_flex(type, member, count, ...) \
  QUARRY_ALLOC_FLEX(kzalloc, type, member, count, default_gfp(__VA_ARGS__))
#define kvmalloc_obj(type, ...) QUARRY_ALLOC_OBJS(kvmalloc, type, 1, default_gfp(__VA_ARGS__))
#define kvmalloc_objs(type, count, ...) \
  QUARRY_ALLOC_OBJS(kvmalloc, type, count, default_gfp(__VA_ARGS__))
#define kvmalloc_flex(type, member, count, ...) \
  QUARRY_ALLOC_FLEX(kvmalloc, type, member, count, default_gfp(__VA_ARGS__))
#define kvzalloc_obj(type, ...) QUARRY_ALLOC_OBJS(kvzalloc, type, 1, default_gfp(__VA_ARGS__))
#define kvzalloc_objs(type, count, ...) \
  QUARRY_ALLOC_OBJS(kvzalloc, type, count, default_gfp(__VA_ARGS__))
#define kvzalloc_flex(type, member, count, ...) \
  QUARRY_ALLOC_FLEX(kvzalloc, type, member, count, default_gfp(__VA_ARGS__))

/* Caches of equal objects. */

#define SLAB_HWCACHE_ALIGN ((slab_flags_t)QUARRY_SLAB_HWCACHE_ALIGN)
#define SLAB_CACHE_DMA ((slab_flags_t)QUARRY_SLAB_CACHE_DMA)
#define SLAB_CACHE_DMA32 ((slab_flags_t)QUARRY_SLAB_CACHE_DMA32)
#define SLAB_RECLAIM_ACCOUNT ((slab_flags_t)QUARRY_SLAB_RECLAIM_ACCOUNT)
#define SLAB_TEMPORARY SLAB_RECLAIM_ACCOUNT
#define SLAB_PANIC ((slab_flags_t)QUARRY_SLAB_PANIC)
#define SLAB_TYPESAFE_BY_RCU ((slab_flags_t)QUARRY_SLAB_TYPESAFE_BY_RCU)
#define SLAB_MEM_SPREAD ((slab_flags_t)QUARRY_SLAB_MEM_SPREAD)
#define SLAB_NOLEAKTRACE ((slab_flags_t)QUARRY_SLAB_NOLEAKTRACE)
#define SLAB_NO_MERGE ((slab_flags_t)QUARRY_SLAB_NO_MERGE)
#define SLAB_ACCOUNT ((slab_flags_t)QUARRY_SLAB_ACCOUNT)
#define SLAB_NO_USER_FLAGS ((slab_flags_t)QUARRY_SLAB_NO_USER_FLAGS)
/* Of what is not there, as in a kernel without it. */
#define SLAB_DEBUG_OBJECTS ((slab_flags_t)0)
#define SLAB_KASAN ((slab_flags_t)0)
#define SLAB_SKIP_KFENCE ((slab_flags_t)0)
#define SLAB_NO_OBJ_EXT ((slab_flags_t)0)
/* Of debugging: such a cache checks each object when it is allocated and when it is freed. */
#define SLAB_CONSISTENCY_CHECKS ((slab_flags_t)QUARRY_SLAB_CONSISTENCY_CHECKS)
#define SLAB_RED_ZONE ((slab_flags_t)QUARRY_SLAB_RED_ZONE)
#define SLAB_POISON ((slab_flags_t)QUARRY_SLAB_POISON)
#define SLAB_STORE_USER ((slab_flags_t)QUARRY_SLAB_STORE_USER)
#define SLAB_TRACE ((slab_flags_t)QUARRY_SLAB_TRACE)
/* failslab's cache-filter lets its allocations fail. */
#define SLAB_FAILSLAB ((slab_flags_t)QUARRY_SLAB_FAILSLAB)

QUARRY_DECLARATIONS_BEGIN

/*
 * The name is copied. `align`: a power of two, 0 for a word. The constructor runs once for each
 * object when its slab is made, and objects have to be freed in the state it leaves. Null: out of
 * memory, or arguments that make no sense, after a report. Process context, like destroy and
 * shrink.
 *
 * A cache that is there already may get the name too (slab_nomerge: never). It is destroyed as
 * often as it was created.
 */
struct kmem_cache* kmem_cache_create(const char* name, unsigned int bytes, unsigned int align,
                                     slab_flags_t flags, void (*ctor)(void* object));
/* With the part of each object that may be copied to and from user memory. */
struct kmem_cache* kmem_cache_create_usercopy(const char* name, unsigned int bytes,
                                              unsigned int align, slab_flags_t flags,
                                              unsigned int useroffset, unsigned int usersize,
                                              void (*ctor)(void* object));

/* Of Linux 6.12: kmem_cache_create(name, bytes, &args, flags); null args are all zeros. */
struct kmem_cache_args {
  unsigned int align;
  unsigned int useroffset;
  unsigned int usersize;
  /* With SLAB_TYPESAFE_BY_RCU: a word of the object that may be written while it is free. It is
   * checked, and left alone: a free object has a word of its own for that. */
  unsigned int freeptr_offset;
  bool use_freeptr_offset;
  /* Of Linux 6.18: objects that a sheaf mostly has. Any sheaf may have any number. */
  unsigned int sheaf_capacity;
  void (*ctor)(void* object);
};
struct kmem_cache* __kmem_cache_create_args(const char* name, unsigned int bytes,
                                            struct kmem_cache_args* args, slab_flags_t flags);

/* Null is a no-op. With objects left: a report, and the cache stays. */
void kmem_cache_destroy(struct kmem_cache* cache);
/* 0: no slab remains. */
int kmem_cache_shrink(struct kmem_cache* cache);
unsigned int kmem_cache_size(struct kmem_cache* cache);

/* The lists of reclaimable objects are not kept. */
struct list_lru;

void* kmem_cache_alloc(struct kmem_cache* cache, gfp_t gfp);
void* kmem_cache_alloc_node(struct kmem_cache* cache, gfp_t gfp, int node);
void kmem_cache_free(struct kmem_cache* cache, void* object);
/* All of them or none; how many. */
int kmem_cache_alloc_bulk(struct kmem_cache* cache, gfp_t gfp, size_t count, void** objects);
/* Null cache: objects of any caches and of kmalloc. */
void kmem_cache_free_bulk(struct kmem_cache* cache, size_t count, void** objects);

/*
 * Checks all slabs of a cache that is debugged: what was overwritten is reported and repaired. How
 * many slabs it looked at, as in the kernel, where mm/slab.h declares it.
 */
long validate_slab_cache(struct kmem_cache* cache);
/*
 * While `counter` is not null, errors that this thread meets in slabs are counted there, each
 * report and each repair, instead of being told (KUnit's resource "slab_errors"). The counter
 * before.
 */
int* quarry_count_slab_errors(int* counter);
/*
 * Objects in use of a cache with SLAB_STORE_USER by who allocated them, or by who had freed them
 * before: the text of debugfs' slab/NAME/alloc_traces and free_traces. Its length, of which at most
 * size - 1 characters are in the buffer; 0: no such cache, or it keeps no such records.
 */
size_t quarry_alloc_traces(const char* cache_name, char* buffer, size_t size);
size_t quarry_free_traces(const char* cache_name, char* buffer, size_t size);
/*
 * The files of /sys/kernel/slab/CACHE, which are there with SLUB, by any name of a cache that is
 * not destroyed meanwhile; process context. Showing is as snprintf: the length of the whole text,
 * or -ENOENT. Storing: `bytes`, or as in Linux -ENOENT, -EIO (it is read only), -EINVAL, -ERANGE;
 * -ENOMEM, where there is no room for so large arrays.
 *
 * To be written are cpu_partial (objects that each CPU's array holds, up to 126), min_partial,
 * remote_node_defrag_ratio, failslab, and for a "1" shrink and validate. The others are slab_size,
 * object_size, usersize, objs_per_slab, align, order, aliases, ctor, slabs, partial, cpu_slabs,
 * objects, objects_partial, total_objects, slabs_cpu_partial, hwcache_align, reclaim_account,
 * cache_dma, destroy_by_rcu, sanity_checks, trace, red_zone, poison and store_user.
 */
long quarry_slab_attr_show(const char* cache_name, const char* attribute, char* buffer,
                           size_t size);
long quarry_slab_attr_store(const char* cache_name, const char* attribute, const char* text,
                            size_t bytes);
/*
 * One round of SLAB's timed reaper for a CPU: caches that are not used give back what lies in their
 * arrays, and free slabs. It comes by itself every two seconds. 0, or -EINVAL: there is no such
 * CPU.
 */
int quarry_reap_caches(unsigned int cpu);
/* The allocator has booted. */
bool slab_is_available(void);
/* Whether the address lies in an object of a cache. */
bool kmem_valid_obj(void* object);
/* Ends a line that printk() began with what the address is: in which object of which cache, ... */
void kmem_dump_obj(void* object);
/* The same for any address: of vmalloc, of no memory. */
void mem_dump_obj(void* object);

QUARRY_DECLARATIONS_END

static inline void* kmem_cache_zalloc(struct kmem_cache* cache, gfp_t gfp) {
  return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}

static inline void* kmem_cache_alloc_lru(struct kmem_cache* cache, struct list_lru* lru,
                                         gfp_t gfp) {
  (void)lru;
  return kmem_cache_alloc(cache, gfp);
}
/* Memory groups are not kept: nothing is charged. */
static inline bool kmem_cache_charge(void* object, gfp_t gfp) {
  (void)object;
  (void)gfp;
  return true;
}

#ifdef __cplusplus
inline struct kmem_cache* kmem_cache_create(const char* name, unsigned int bytes,
                                            struct kmem_cache_args* args, slab_flags_t flags) {
  return __kmem_cache_create_args(name, bytes, args, flags);
}
#else
static inline struct kmem_cache* quarry_kmem_cache_create_default(const char* name,
                                                                  unsigned int bytes, void* args,
                                                                  slab_flags_t flags) {
  return __kmem_cache_create_args(name, bytes, (struct kmem_cache_args*)args, flags);
}
#define kmem_cache_create(name, bytes, args, ...) \
  _Generic((args), struct kmem_cache_args*                     \
           : __kmem_cache_create_args, void*                   \
           : quarry_kmem_cache_create_default, default         \
           : kmem_cache_create)(name, bytes, args, __VA_ARGS__)
#endif

/* A cache for objects of a structure, with its name. */
#define KMEM_CACHE(type, flags) \
  kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), (flags), NULL)
/* With a member that may be copied to and from user memory. */
#define KMEM_CACHE_USERCOPY(type, flags, field)                                             \
  kmem_cache_create_usercopy(#type, sizeof(struct type), __alignof__(struct type), (flags), \
                             offsetof(struct type, field), sizeof(((struct type*)0)->field), NULL)
