// SPDX-License-Identifier: MIT
// The ways to create a cache, and merging.
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "c_test.h"

struct message {
  long kind;
  char text[40];
};

static void construct(void* object) { ((struct message*)object)->kind = 77; }

static void regions_for_users(void) {
  struct kmem_cache* cache = KMEM_CACHE_USERCOPY(message, SLAB_HWCACHE_ALIGN, text);
  struct kmem_cache* other = kmem_cache_create_usercopy("compat_usercopy", sizeof(struct message),
                                                        8, SLAB_ACCOUNT, 8, 40, construct);
  REQUIRE(cache != NULL && other != NULL && cache != other);
  EXPECT(kmem_cache_size(cache) == sizeof(struct message));
  struct message* message = kmem_cache_alloc_lru(other, NULL, GFP_KERNEL);
  REQUIRE(message != NULL);
  EXPECT(message->kind == 77 && kmem_cache_charge(message, GFP_KERNEL));
  kmem_cache_free(other, message);
  kmem_cache_destroy(cache);
  kmem_cache_destroy(other);
}

/* The form of Linux 6.12, beside that of 6.1. */
static void arguments_in_a_structure(void) {
  struct kmem_cache_args args = {.align = 64, .ctor = construct};
  struct kmem_cache* constructed =
      kmem_cache_create("compat_args", sizeof(struct message), &args, SLAB_PANIC);
  struct kmem_cache* plain = kmem_cache_create("compat_no_args", 300, NULL, SLAB_NO_MERGE);
  struct kmem_cache* old = kmem_cache_create("compat_old", 300, 0, SLAB_NO_MERGE, NULL);
  REQUIRE(constructed != NULL && plain != NULL && old != NULL);
  struct message* message = kmem_cache_alloc(constructed, GFP_KERNEL);
  REQUIRE(message != NULL);
  EXPECT(message->kind == 77 && IS_ALIGNED((unsigned long)message, 64));
  kmem_cache_free(constructed, message);
  EXPECT(kmem_cache_size(plain) == 300 && kmem_cache_size(old) == 300);
  kmem_cache_destroy(constructed);
  kmem_cache_destroy(plain);
  kmem_cache_destroy(old);
}

/* As on Linux without slab_nomerge. */
static void equal_caches_are_one(void) {
  struct kmem_cache* first = kmem_cache_create("compat_first", 1000, 0, 0, NULL);
  struct kmem_cache* second = kmem_cache_create("compat_second", 1000, 0, 0, NULL);
  struct kmem_cache* apart = kmem_cache_create("compat_apart", 1000, 0, SLAB_NO_MERGE, NULL);
  REQUIRE(first != NULL && second != NULL && apart != NULL);
  EXPECT(first == second && apart != first);
  void* object = kmem_cache_alloc(first, GFP_KERNEL);
  kmem_cache_destroy(first);
  kmem_cache_free(second, object);
  EXPECT(kmem_cache_shrink(second) == 0);
  kmem_cache_destroy(second);
  kmem_cache_destroy(apart);
}

static void accounted_memory(void) {
  void* normal = kmalloc(100, GFP_KERNEL);
  void* accounted = kmalloc(100, GFP_KERNEL_ACCOUNT);
  void* zeroed = kzalloc(100, GFP_KERNEL_ACCOUNT);
  REQUIRE(normal != NULL && accounted != NULL && zeroed != NULL);
  EXPECT(ksize(accounted) == 128);
  EXPECT(virt_to_page(normal)->cache != virt_to_page(accounted)->cache);
  EXPECT(virt_to_page(zeroed)->cache == virt_to_page(accounted)->cache);
  kfree(normal);
  kfree(accounted);
  kfree(zeroed);
}

static void what_an_address_is(void) {
  char* object = kmalloc(100, GFP_KERNEL);
  int here;
  EXPECT(slab_is_available());
  EXPECT(kmem_valid_obj(object + 5) && !kmem_valid_obj(&here) && !kmem_valid_obj(NULL));
  printk(KERN_INFO "compat: object + 5 is");
  kmem_dump_obj(object + 5);
  printk(KERN_INFO "compat: null is");
  mem_dump_obj(NULL);
  kfree(object);
}

static int attribute_is(const char* cache, const char* name, const char* wanted) {
  char text[256];
  const long length = quarry_slab_attr_show(cache, name, text, sizeof(text));
  return length == (long)strlen(wanted) && strcmp(text, wanted) == 0;
}

static long store(const char* cache, const char* name, const char* text) {
  return quarry_slab_attr_store(cache, name, text, strlen(text));
}

/* /sys/kernel/slab/CACHE, by any of its names. */
static void attributes(void) {
  struct kmem_cache* cache = kmem_cache_create("compat_tuned", 1000, 0, 0, construct);
  REQUIRE(cache != NULL);
  EXPECT(attribute_is("compat_tuned", "object_size", "1000\n"));
  EXPECT(attribute_is("compat_tuned", "objects", "0\n"));
  EXPECT(attribute_is("compat_tuned", "min_partial", "5\n"));
  EXPECT(store("compat_tuned", "min_partial", "9\n") == 2);
  EXPECT(attribute_is("compat_tuned", "min_partial", "9\n"));
  EXPECT(store("compat_tuned", "cpu_partial", "30") == 2);
  EXPECT(attribute_is("compat_tuned", "cpu_partial", "30\n"));
  void* objects[40];
  REQUIRE(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 40, objects) == 40);
  EXPECT(store("compat_tuned", "cpu_partial", "0") == 1);
  EXPECT(attribute_is("compat_tuned", "objects", "40 N0=40\n"));
  kmem_cache_free_bulk(cache, 40, objects);
  EXPECT(store("compat_tuned", "shrink", "1\n") == 2);
  EXPECT(attribute_is("compat_tuned", "slabs", "0\n"));
  char text[256];
  EXPECT(quarry_slab_attr_show("compat_tuned", "ctor", text, sizeof(text)) > 1);
  EXPECT(strncmp(text, "construct+0x0/", 14) == 0);
  EXPECT(quarry_slab_attr_show("compat_tuned", "object_size", text, 3) == 5);
  EXPECT(strcmp(text, "10") == 0);
  EXPECT(quarry_slab_attr_show("compat_tuned", "size", text, sizeof(text)) == -ENOENT);
  EXPECT(quarry_slab_attr_show("compat_nobody", "order", text, sizeof(text)) == -ENOENT);
  EXPECT(store("compat_nobody", "shrink", "1") == -ENOENT);
  EXPECT(store("compat_tuned", "order", "1") == -EIO);
  EXPECT(store("compat_tuned", "shrink", "0") == -EINVAL);
  EXPECT(store("compat_tuned", "remote_node_defrag_ratio", "101") == -ERANGE);
  EXPECT(store("compat_tuned", "cpu_partial", "127") == -ENOMEM);
  EXPECT(quarry_reap_caches(0) == 0);
  EXPECT(quarry_reap_caches(100000) == -EINVAL);
  kmem_cache_destroy(cache);
}

const struct c_test cache_tests[] = {
    {"regions_for_users", regions_for_users},
    {"arguments_in_a_structure", arguments_in_a_structure},
    {"equal_caches_are_one", equal_caches_are_one},
    {"accounted_memory", accounted_memory},
    {"what_an_address_is", what_an_address_is},
    {"attributes", attributes},
    {NULL, NULL},
};
