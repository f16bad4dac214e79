// SPDX-License-Identifier: MIT
// What is made of kmalloc: large blocks, callers, copies, typed objects, scopes.
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>

#include "c_test.h"

struct packet {
  int kind;
  unsigned short length;
  unsigned char payload[];
};

static int is_zero(const void* memory, size_t bytes) {
  const unsigned char* at = memory;
  for (size_t i = 0; i != bytes; ++i) {
    if (at[i] != 0) return 0;
  }
  return 1;
}

static void large_blocks(void) {
  void* object = kmalloc_large(100, GFP_KERNEL);
  void* of_node = kmalloc_large_node(3 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO, 0);
  REQUIRE(object != NULL && of_node != NULL);
  EXPECT(ksize(object) == PAGE_SIZE && __ksize(object) == PAGE_SIZE);
  EXPECT(PAGE_ALIGNED(object) && PAGE_ALIGNED(of_node));
  EXPECT(ksize(of_node) == 4 * PAGE_SIZE && is_zero(of_node, 4 * PAGE_SIZE));
  kfree(object);
  kfree(of_node);
}

static noinline void* allocate_for_caller(size_t bytes) {
  return kmalloc_track_caller(bytes, GFP_KERNEL);
}

static void for_a_caller(void) {
  void* object = allocate_for_caller(100);
  void* of_node = kmalloc_node_track_caller(100, GFP_KERNEL, 0);
  EXPECT(ksize(object) == 128 && ksize(of_node) == 128);
  kfree(object);
  kfree(of_node);
}

static void typed_objects(void) {
  struct packet* packet = kmalloc_obj(*packet);
  struct packet* zeroed = kzalloc_obj(struct packet, GFP_ATOMIC);
  long* numbers = kmalloc_objs(*numbers, 10);
  long* zeros = kzalloc_objs(long, 10, GFP_KERNEL);
  struct packet* full = kmalloc_flex(*full, payload, 100);
  struct packet* empty = kzalloc_flex(struct packet, payload, 100, GFP_KERNEL);
  REQUIRE(packet && zeroed && numbers && zeros && full && empty);
  EXPECT(ksize(packet) == 8 && is_zero(zeroed, sizeof(*zeroed)));
  EXPECT(ksize(numbers) == kmalloc_size_roundup(10 * sizeof(long)));
  EXPECT(is_zero(zeros, 10 * sizeof(long)));
  EXPECT(ksize(full) == kmalloc_size_roundup(struct_size(full, payload, 100)));
  EXPECT(is_zero(empty, struct_size(empty, payload, 100)));
  void* objects[] = {packet, zeroed, numbers, zeros, full, empty};
  kfree_bulk(ARRAY_SIZE(objects), objects);

  // Not known to the compiler, which would warn.
  volatile size_t too_many = SIZE_MAX;
  EXPECT(kmalloc_objs(long, too_many, GFP_KERNEL | __GFP_NOWARN) == NULL);
  EXPECT(kmalloc_flex(struct packet, payload, too_many, GFP_KERNEL | __GFP_NOWARN) == NULL);

  struct packet* pages = kvmalloc_flex(*pages, payload, 8 << 20);
  char* area = kvzalloc_objs(*area, 8 << 20);
  long* one = kvzalloc_obj(long);
  REQUIRE(pages && area && one);
  EXPECT(is_vmalloc_addr(pages) && is_vmalloc_addr(area) && !is_vmalloc_addr(one));
  EXPECT(is_zero(area, 8 << 20));
  kvfree(pages);
  kvfree(area);
  kvfree(one);
}

static void sizes_that_saturate(void) {
  const struct packet* packet = NULL;
  EXPECT(array_size(6, 7) == 42 && array_size(SIZE_MAX, 2) == SIZE_MAX);
  EXPECT(struct_size(packet, payload, 3) == sizeof(*packet) + 3);
  EXPECT(struct_size_t(struct packet, payload, 3) == sizeof(*packet) + 3);
  EXPECT(struct_size(packet, payload, SIZE_MAX) == SIZE_MAX);
  EXPECT(array3_size(SIZE_MAX / 2, 1, 3) == SIZE_MAX);
}

static void copies_of_arrays_and_areas(void) {
  const int numbers[] = {1, 2, 3, 4};
  int* copy = kmemdup_array(numbers, 4, sizeof(int), GFP_KERNEL);
  char* big = kvzalloc(8 << 20, GFP_KERNEL);
  REQUIRE(copy != NULL && big != NULL);
  big[5000000] = 'x';
  char* area = kvmemdup(big, 8 << 20, GFP_KERNEL);
  REQUIRE(area != NULL);
  EXPECT(memcmp(copy, numbers, sizeof(numbers)) == 0);
  EXPECT(is_vmalloc_addr(area) && area[5000000] == 'x');
  EXPECT(kmemdup_array(numbers, SIZE_MAX / 2, 4, GFP_KERNEL | __GFP_NOWARN) == NULL);
  kfree(copy);
  kvfree(big);
  kvfree(area);
}

/* Constants of the program are not copied, and not freed. */
static void constants(void) {
  static const char text[] = "a constant";
  char other[] = "a variable";
  const char* same = kstrdup_const(text, GFP_KERNEL);
  const char* copy = kstrdup_const(other, GFP_KERNEL);
  const char* plain = kasprintf_const(GFP_KERNEL, "without conversions");
  const char* string = kasprintf_const(GFP_KERNEL, "%s", text);
  const char* made = kasprintf_const(GFP_KERNEL, "%d", 42);
  EXPECT(same == text && string == text);
  EXPECT(copy != other && copy != NULL && strcmp(copy, other) == 0);
  EXPECT(plain != NULL && ksize(plain) == 0);
  EXPECT(made != NULL && strcmp(made, "42") == 0 && ksize(made) == 8);
  kfree_const(same);
  kfree_const(copy);
  kfree_const(plain);
  kfree_const(string);
  kfree_const(made);
  kfree_const(NULL);
}

static void arrays_of_strings(void) {
  char** names = kasprintf_strarray(GFP_KERNEL, "gpio", 12);
  REQUIRE(names != NULL);
  EXPECT(strcmp(names[0], "gpio-0") == 0 && strcmp(names[11], "gpio-11") == 0);
  EXPECT(names[12] == NULL);
  kfree_strarray(names, 12);
  kfree_strarray(NULL, 3);
}

static void copies_from_users(void) {
  static const char text[] = "from a user";
  char* bytes = memdup_user(text, sizeof(text));
  char* ended = memdup_user_nul(text, 4);
  char* string = strndup_user(text, 100);
  char* area = vmemdup_user(text, sizeof(text));
  char* array = memdup_array_user(text, 2, 3);
  REQUIRE(!IS_ERR(bytes) && !IS_ERR(ended) && !IS_ERR(string) && !IS_ERR(area) && !IS_ERR(array));
  EXPECT(strcmp(bytes, text) == 0 && strcmp(ended, "from") == 0 && strcmp(string, text) == 0);
  EXPECT(strcmp(area, text) == 0 && memcmp(array, text, 6) == 0);
  EXPECT(PTR_ERR(strndup_user(text, sizeof(text) - 1)) == -EINVAL);
  EXPECT(PTR_ERR(memdup_user(text, (size_t)1 << 40)) == -ENOMEM);
  EXPECT(PTR_ERR(memdup_array_user(text, SIZE_MAX, 2)) == -EOVERFLOW);
  EXPECT(PTR_ERR(vmemdup_array_user(text, SIZE_MAX, 2)) == -EOVERFLOW);
  kfree(bytes);
  kfree(ended);
  kfree(string);
  kvfree(area);
  kfree(array);
}

/* The cache's last object comes back when the scope ends, or does not. */
static struct kmem_cache* scoped_cache;

static void* leave_scope(int keep) {
  void* object __free(kfree) = kmem_cache_alloc(scoped_cache, GFP_KERNEL);
  void* area __free(kvfree) = kvmalloc(100, GFP_KERNEL);
  void* nothing __free(kfree) = NULL;
  void* error __free(kfree) = ERR_PTR(-ENOMEM);
  EXPECT(object != NULL && area != NULL && nothing == NULL && IS_ERR(error));
  if (keep) return_ptr(object);
  return NULL;
}

static void texts_for_a_log(void) {
  char* text = kstrdup_quotable("a\tb \"c\" \\d\x1b\n", GFP_KERNEL);
  REQUIRE(text != NULL);
  EXPECT(strcmp(text, "a\\x09b \\x22c\\x22 \\x5cd\\x1b\\x0a") == 0);
  kfree(text);
  text = kstrdup_quotable("plain", GFP_KERNEL);
  EXPECT(text != NULL && strcmp(text, "plain") == 0);
  kfree(text);
  EXPECT(kstrdup_quotable(NULL, GFP_KERNEL) == NULL);
}

static void scopes(void) {
  scoped_cache = kmem_cache_create("compat_scoped", 100, 0, 0, NULL);
  REQUIRE(scoped_cache != NULL);
  EXPECT(leave_scope(0) == NULL);
  EXPECT(kmem_cache_shrink(scoped_cache) == 0);
  void* kept = leave_scope(1);
  EXPECT(kept != NULL && kmem_cache_shrink(scoped_cache) != 0);
  kfree(kept);
  kmem_cache_destroy(scoped_cache);
}

const struct c_test kmalloc_tests[] = {
    {"large_blocks", large_blocks},
    {"for_a_caller", for_a_caller},
    {"typed_objects", typed_objects},
    {"sizes_that_saturate", sizes_that_saturate},
    {"copies_of_arrays_and_areas", copies_of_arrays_and_areas},
    {"constants", constants},
    {"arrays_of_strings", arrays_of_strings},
    {"copies_from_users", copies_from_users},
    {"texts_for_a_log", texts_for_a_log},
    {"scopes", scopes},
    {NULL, NULL},
};
