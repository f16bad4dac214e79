/* SPDX-License-Identifier: MIT */
/*
 * Resources of a device: what is allocated for it is freed with it, in reverse order. A call that
 * allocates may sleep if its flags say so; the others may be made in any context but NMI, as far
 * as release functions may run there.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp_types.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <stdarg.h>

struct device;
struct devres;

/* `resource` is what devres_alloc() gave. */
typedef void (*dr_release_t)(struct device* dev, void* resource);
typedef int (*dr_match_t)(struct device* dev, void* resource, void* match_data);

QUARRY_DECLARATIONS_BEGIN

/* --- Resources of any kind --- */

/* Zeroed room for what `release` will want to know. Null: out of memory. */
void* devres_alloc_node(dr_release_t release, size_t bytes, gfp_t gfp, int node);
#define devres_alloc(release, bytes, gfp) devres_alloc_node(release, bytes, gfp, NUMA_NO_NODE)
/* Of one that no device has. Null is a no-op. */
void devres_free(void* resource);
/* The device's from now on. */
void devres_add(struct device* dev, void* resource);
/* The newest with that release function for which `match`, if it is not null, returns non-zero;
 * null: there is none. */
void* devres_find(struct device* dev, dr_release_t release, dr_match_t match, void* match_data);
/* The same; `new_resource` is added if there is none, and freed if there is. */
void* devres_get(struct device* dev, void* new_resource, dr_match_t match, void* match_data);
/* The device's no more; the caller frees it. Null: there is none. */
void* devres_remove(struct device* dev, dr_release_t release, dr_match_t match, void* match_data);
/* Removes one and frees it, without calling its release function, or with. -ENOENT: there is none.
 */
int devres_destroy(struct device* dev, dr_release_t release, dr_match_t match, void* match_data);
int devres_release(struct device* dev, dr_release_t release, dr_match_t match, void* match_data);
/* All of them, the newest first; how many. */
int devres_release_all(struct device* dev);

/* Something to be done with the others. 0 or -ENOMEM; _or_reset does it at once where it cannot be
 * added. */
int devm_add_action(struct device* dev, void (*action)(void* data), void* data);
int devm_add_action_or_reset(struct device* dev, void (*action)(void* data), void* data);
/* Forgets the newest of them with that data, or does it now. One that is not there is reported. */
void devm_remove_action(struct device* dev, void (*action)(void* data), void* data);
void devm_release_action(struct device* dev, void (*action)(void* data), void* data);

/* --- Memory. Null: out of memory --- */

void* devm_kmalloc(struct device* dev, size_t bytes, gfp_t gfp) __alloc_size(2);
/* Null and ZERO_SIZE_PTR: devm_kmalloc. 0 bytes: frees and gives ZERO_SIZE_PTR. Null result: the
 * memory is as it was. Memory that is not the device's is reported. */
void* devm_krealloc(struct device* dev, void* memory, size_t bytes, gfp_t gfp) __must_check
    __alloc_size(3);
/* Earlier than with the device. Null, ZERO_SIZE_PTR and the program's constants are no-ops; what is
 * not the device's memory is reported and left alone. */
void devm_kfree(struct device* dev, const void* memory);

char* devm_kstrdup(struct device* dev, const char* text, gfp_t gfp);
/* What lies in the program's constants is not copied. */
const char* devm_kstrdup_const(struct device* dev, const char* text, gfp_t gfp);
char* devm_kasprintf(struct device* dev, gfp_t gfp, const char* format, ...) __printf(3, 4);
char* devm_kvasprintf(struct device* dev, gfp_t gfp, const char* format, va_list args)
    __printf(3, 0);
void* devm_kmemdup(struct device* dev, const void* source, size_t bytes, gfp_t gfp);
const void* devm_kmemdup_const(struct device* dev, const void* source, size_t bytes, gfp_t gfp);
/* PREFIX-0, PREFIX-1, ... and a null; or ERR_PTR(-ENOMEM). */
char** devm_kasprintf_strarray(struct device* dev, const char* prefix, size_t count);

/* Address of a block of 1 << order pages; 0: out of memory. */
unsigned long devm_get_free_pages(struct device* dev, gfp_t gfp, unsigned int order);
void devm_free_pages(struct device* dev, unsigned long address);

QUARRY_DECLARATIONS_END

static inline void* devm_kzalloc(struct device* dev, size_t bytes, gfp_t gfp) {
  return devm_kmalloc(dev, bytes, gfp | __GFP_ZERO);
}
/* Null, without a report, where count * bytes overflows. */
static inline void* devm_kmalloc_array(struct device* dev, size_t count, size_t bytes, gfp_t gfp) {
  size_t product;
  return check_mul_overflow(count, bytes, &product) ? NULL : devm_kmalloc(dev, product, gfp);
}
static inline void* devm_kcalloc(struct device* dev, size_t count, size_t bytes, gfp_t gfp) {
  return devm_kmalloc_array(dev, count, bytes, gfp | __GFP_ZERO);
}
static inline void* __must_check devm_krealloc_array(struct device* dev, void* memory, size_t count,
                                                     size_t bytes, gfp_t gfp) {
  size_t product;
  return check_mul_overflow(count, bytes, &product) ? NULL
                                                    : devm_krealloc(dev, memory, product, gfp);
}
static inline void* devm_kmemdup_array(struct device* dev, const void* source, size_t count,
                                       size_t bytes, gfp_t gfp) {
  return devm_kmemdup(dev, source, size_mul(count, bytes), gfp);
}
