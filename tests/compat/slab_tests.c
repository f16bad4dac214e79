// SPDX-License-Identifier: MIT
// kmalloc and caches as C callers see them.
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "c_test.h"

static const size_t class_bytes[] = {8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192};

static size_t class_of(size_t bytes) {
  for (size_t i = 0; i != ARRAY_SIZE(class_bytes); ++i) {
    if (bytes <= class_bytes[i]) return class_bytes[i];
  }
  return PAGE_SIZE << get_order(bytes);
}

static int all_bytes_are(const void* memory, int byte, size_t bytes) {
  const unsigned char* at = memory;
  for (size_t i = 0; i != bytes; ++i) {
    if (at[i] != byte) return 0;
  }
  return 1;
}

static void nothing(void) {
  void* object = kmalloc(0, GFP_KERNEL);
  EXPECT(object == ZERO_SIZE_PTR);
  EXPECT(ZERO_OR_NULL_PTR(object));
  EXPECT(ksize(object) == 0);
  EXPECT(ksize(NULL) == 0);
  kfree(object);
  kfree(NULL);
  kfree_sensitive(object);
  kfree_sensitive(NULL);
  kvfree(NULL);
  EXPECT(kcalloc(0, 8, GFP_KERNEL) == ZERO_SIZE_PTR);
  EXPECT(kmalloc_size_roundup(0) == 0);
}

static void every_size(void) {
  for (size_t bytes = 1; bytes <= 20000; bytes += bytes < 1100 ? 1 : 13) {
    void* object = kmalloc(bytes, GFP_KERNEL);
    REQUIRE(object != NULL);
    EXPECT(ksize(object) == class_of(bytes));
    EXPECT(kmalloc_size_roundup(bytes) == class_of(bytes));
    EXPECT(IS_ALIGNED((unsigned long)object, ARCH_KMALLOC_MINALIGN));
    if (is_power_of_2(bytes)) EXPECT(IS_ALIGNED((unsigned long)object, bytes));
    memset(object, 0x5a, ksize(object));
    kfree(object);
  }
}

static void constant_sizes(void) {
  // One of each class, and one above: the compiler chooses the class.
  void* objects[] = {
      kmalloc(1, GFP_KERNEL),    kmalloc(16, GFP_KERNEL),   kmalloc(17, GFP_KERNEL),
      kmalloc(64, GFP_KERNEL),   kmalloc(65, GFP_KERNEL),   kmalloc(100, GFP_KERNEL),
      kmalloc(192, GFP_KERNEL),  kmalloc(200, GFP_KERNEL),  kmalloc(512, GFP_KERNEL),
      kmalloc(600, GFP_KERNEL),  kmalloc(2000, GFP_KERNEL), kmalloc(4096, GFP_KERNEL),
      kmalloc(8192, GFP_KERNEL), kmalloc(8193, GFP_KERNEL)};
  for (size_t i = 0; i != ARRAY_SIZE(class_bytes); ++i) EXPECT(ksize(objects[i]) == class_bytes[i]);
  EXPECT(ksize(objects[13]) == 16384);
  for (size_t i = 0; i != ARRAY_SIZE(objects); ++i) kfree(objects[i]);
}

static void largest(void) {
  size_t too_large = KMALLOC_MAX_SIZE + 1;
  void* object = kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL | __GFP_NOWARN);
  REQUIRE(object != NULL);
  EXPECT(IS_ALIGNED((unsigned long)object, KMALLOC_MAX_SIZE));
  kfree(object);
  EXPECT(kmalloc(too_large, GFP_KERNEL | __GFP_NOWARN) == NULL);
  EXPECT(kmalloc_size_roundup(KMALLOC_MAX_SIZE) == KMALLOC_MAX_SIZE);
}

static void zeroed(void) {
  for (size_t bytes = 8; bytes <= 65536; bytes *= 2) {
    void* object = kmalloc(bytes, GFP_KERNEL);
    REQUIRE(object != NULL);
    memset(object, 0xff, bytes);
    kfree(object);
    object = kzalloc(bytes, GFP_KERNEL);
    REQUIRE(object != NULL);
    EXPECT(all_bytes_are(object, 0, bytes));
    kfree(object);
  }
  char* several = kcalloc(7, 13, GFP_KERNEL);
  REQUIRE(several != NULL);
  EXPECT(all_bytes_are(several, 0, 7 * 13));
  kfree(several);
}

static void products_that_overflow(void) {
  size_t half = SIZE_MAX / 2 + 1;
  void* object = kmalloc(64, GFP_KERNEL);
  EXPECT(kmalloc_array(half, 2, GFP_KERNEL) == NULL);
  EXPECT(kcalloc(2, half, GFP_KERNEL) == NULL);
  EXPECT(kmalloc_array_node(half, 4, GFP_KERNEL, NUMA_NO_NODE) == NULL);
  EXPECT(kcalloc_node(half, 4, GFP_KERNEL, 0) == NULL);
  EXPECT(kvmalloc_array(half, 2, GFP_KERNEL) == NULL);
  EXPECT(krealloc_array(object, half, 2, GFP_KERNEL) == NULL);
  EXPECT(ksize(object) == 64);
  kfree(object);
}

static void realloc_corners(void) {
  char* object = krealloc(NULL, 20, GFP_KERNEL);
  REQUIRE(object != NULL);
  EXPECT(ksize(object) == 32);
  memcpy(object, "nineteen characters", 20);
  // In place as long as it fits.
  EXPECT(krealloc(object, 32, GFP_KERNEL) == object);
  EXPECT(krealloc(object, 5, GFP_KERNEL) == object);
  char* moved = krealloc(object, 5000, GFP_KERNEL);
  REQUIRE(moved != NULL);
  EXPECT(moved != object);
  EXPECT(strcmp(moved, "nineteen characters") == 0);
  // What cannot be had leaves the old object as it was.
  EXPECT(krealloc(moved, KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN) == NULL);
  EXPECT(strcmp(moved, "nineteen characters") == 0);
  EXPECT(krealloc(moved, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
  void* from_nothing = krealloc(ZERO_SIZE_PTR, 8, GFP_KERNEL);
  EXPECT(from_nothing != NULL && ksize(from_nothing) == 8);
  kfree(from_nothing);
}

static void kvmalloc_family(void) {
  char* small = kvmalloc(100, GFP_KERNEL);
  char* large = kvzalloc(16 << 20, GFP_KERNEL);
  REQUIRE(small != NULL && large != NULL);
  EXPECT(!is_vmalloc_addr(small));
  EXPECT(is_vmalloc_addr(large));
  EXPECT(all_bytes_are(large, 0, 16 << 20));
  memcpy(small, "kept", 5);
  char* grown = kvrealloc(small, 100, 8 << 20, GFP_KERNEL);
  REQUIRE(grown != NULL);
  EXPECT(strcmp(grown, "kept") == 0);
  EXPECT(kvrealloc(grown, 8 << 20, 100, GFP_KERNEL) == grown);
  kvfree_sensitive(grown, 8 << 20);
  kvfree(large);
}

static void copies(void) {
  char* text = kstrdup("text", GFP_KERNEL);
  char* part = kstrndup("a longer text", 8, GFP_KERNEL);
  char* bytes = kmemdup_nul("bytes without end", 5, GFP_KERNEL);
  char* made = kasprintf(GFP_KERNEL, "%s-%d", "made", 42);
  const char* constant = kstrdup_const("constant", GFP_KERNEL);
  EXPECT(text != NULL && strcmp(text, "text") == 0);
  EXPECT(part != NULL && strcmp(part, "a longer") == 0);
  EXPECT(bytes != NULL && strcmp(bytes, "bytes") == 0);
  EXPECT(made != NULL && strcmp(made, "made-42") == 0);
  EXPECT(constant != NULL && strcmp(constant, "constant") == 0);
  EXPECT(kstrdup(NULL, GFP_KERNEL) == NULL);
  EXPECT(kmemdup(NULL, 4, GFP_KERNEL) == NULL);
  kfree(text);
  kfree(part);
  kfree(bytes);
  kfree(made);
  kfree_const(constant);
}

static unsigned int constructed;

static void construct(void* object) {
  ++constructed;
  memset(object, 0xc0, 100);
}

static void cache_life(void) {
  struct kmem_cache* cache =
      kmem_cache_create("compat_constructed", 100, 64, SLAB_HWCACHE_ALIGN, construct);
  REQUIRE(cache != NULL);
  EXPECT(kmem_cache_size(cache) == 100);
  void* objects[50];
  for (size_t i = 0; i != ARRAY_SIZE(objects); ++i) {
    objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
    REQUIRE(objects[i] != NULL);
    EXPECT(IS_ALIGNED((unsigned long)objects[i], 64));
    EXPECT(all_bytes_are(objects[i], 0xc0, 100));
  }
  EXPECT(constructed >= ARRAY_SIZE(objects));
  for (size_t i = 0; i != ARRAY_SIZE(objects); ++i) kmem_cache_free(cache, objects[i]);
  EXPECT(kmem_cache_shrink(cache) == 0);
  kmem_cache_destroy(cache);
  kmem_cache_destroy(NULL);
}

struct compat_thing {
  long number;
  char text[50];
};

static void cache_of_a_structure(void) {
  struct kmem_cache* cache = KMEM_CACHE(compat_thing, SLAB_RECLAIM_ACCOUNT);
  REQUIRE(cache != NULL);
  EXPECT(kmem_cache_size(cache) == sizeof(struct compat_thing));
  struct compat_thing* dirty = kmem_cache_alloc(cache, GFP_KERNEL);
  REQUIRE(dirty != NULL);
  memset(dirty, 0xff, sizeof(*dirty));
  kmem_cache_free(cache, dirty);
  struct compat_thing* clean = kmem_cache_zalloc(cache, GFP_ATOMIC);
  REQUIRE(clean != NULL);
  EXPECT(all_bytes_are(clean, 0, sizeof(*clean)));
  struct compat_thing* of_node = kmem_cache_alloc_node(cache, GFP_KERNEL, 0);
  EXPECT(of_node != NULL && page_to_nid(virt_to_page(of_node)) == 0);
  kmem_cache_free(cache, clean);
  kmem_cache_free(cache, of_node);
  kmem_cache_destroy(cache);
}

static void bulk(void) {
  struct kmem_cache* cache = kmem_cache_create("compat_bulk", 40, 0, 0, NULL);
  REQUIRE(cache != NULL);
  void* objects[300];
  REQUIRE(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 300, objects) == 300);
  for (size_t i = 0; i != 300; ++i) memset(objects[i], (int)i, 40);
  for (size_t i = 0; i != 300; ++i) EXPECT(all_bytes_are(objects[i], (int)i & 0xff, 40));
  kmem_cache_free_bulk(cache, 200, objects);
  kfree_bulk(100, objects + 200);
  EXPECT(kmem_cache_shrink(cache) == 0);
  kmem_cache_destroy(cache);

  void* mixed[] = {kmalloc(8, GFP_KERNEL), kmalloc(300, GFP_KERNEL), kmalloc(70000, GFP_KERNEL)};
  kfree_bulk(3, mixed);
}

// What a debugged cache finds is counted for this thread, and repaired.
static void debugged_cache(void) {
  struct kmem_cache* cache =
      kmem_cache_create("compat_debugged", 64, 0, SLAB_RED_ZONE | SLAB_NO_USER_FLAGS, NULL);
  REQUIRE(cache != NULL);
  EXPECT((cache->flags & SLAB_RED_ZONE) != 0);
  unsigned char* object = kmem_cache_alloc(cache, GFP_KERNEL);
  REQUIRE(object != NULL);
  int errors = 0;
  EXPECT(quarry_count_slab_errors(&errors) == NULL);
  EXPECT(validate_slab_cache(cache) == 1);
  EXPECT(errors == 0);
  __asm__ volatile("" : "+r"(object));
  object[64] = 0x12;
  validate_slab_cache(cache);
  EXPECT(errors == 2);
  EXPECT(quarry_count_slab_errors(NULL) == &errors);
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  EXPECT(quarry_alloc_traces("compat_debugged", NULL, 0) == 0);
}

const struct c_test slab_tests[] = {{"nothing", nothing},
                                    {"every_size", every_size},
                                    {"constant_sizes", constant_sizes},
                                    {"largest", largest},
                                    {"zeroed", zeroed},
                                    {"products_that_overflow", products_that_overflow},
                                    {"realloc_corners", realloc_corners},
                                    {"kvmalloc_family", kvmalloc_family},
                                    {"copies", copies},
                                    {"cache_life", cache_life},
                                    {"cache_of_a_structure", cache_of_a_structure},
                                    {"bulk", bulk},
                                    {"debugged_cache", debugged_cache},
                                    {NULL, NULL}};
