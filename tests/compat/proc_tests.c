// SPDX-License-Identifier: MIT
// The texts of /proc as a C program reads those of its own system.
#include <linux/errno.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "c_test.h"

static int has_text(const char* name, const char* wanted) {
  static char text[1 << 20];
  const long length = quarry_proc_read(name, text, sizeof(text));
  return length > 0 && (size_t)length == strlen(text) && strstr(text, wanted) != NULL;
}

static void slabinfo_has_the_programs_caches(void) {
  struct kmem_cache* cache = kmem_cache_create("c_programs_cache", 100, 0, 0, NULL);
  REQUIRE(cache != NULL);
  void* object = kmem_cache_alloc(cache, GFP_KERNEL);
  EXPECT(has_text("slabinfo", "slabinfo - version: 2.1\n"));
  EXPECT(has_text("slabinfo", "\nc_programs_cache "));
  kmem_cache_free(cache, object);
  kmem_cache_destroy(cache);
  EXPECT(!has_text("slabinfo", "c_programs_cache"));
}

static void meminfo_follows_vmalloc(void) {
  void* area = vmalloc(1000 * PAGE_SIZE);
  char row[64];
  REQUIRE(area != NULL);
  snprintf(row, sizeof(row), "\nVmallocUsed:    %8lu kB\n", 1000 * PAGE_SIZE / 1024);
  EXPECT(has_text("meminfo", row));
  EXPECT(has_text("vmallocinfo", " pages=1000 vmalloc N0=1000\n"));
  vfree(area);
  EXPECT(has_text("meminfo", "\nVmallocUsed:           0 kB\n"));
}

static void every_name_has_a_text(void) {
  int count = 0;
  void* area = vmalloc(PAGE_SIZE);  // vmallocinfo is empty otherwise
  for (const char* const* name = quarry_proc_names(); *name != NULL; ++name, ++count) {
    EXPECT(has_text(*name, "\n"));
  }
  vfree(area);
  EXPECT(count == 6);
}

static void a_small_buffer_gets_the_beginning(void) {
  char head[32];
  memset(head, 'x', sizeof(head));
  const long length = quarry_proc_read("slabinfo", head, 9);
  EXPECT(length > 1000);
  EXPECT(memcmp(head, "slabinfo\0xxx", 12) == 0);
  EXPECT(quarry_proc_read("slabinfo", NULL, 0) == length);
  EXPECT(quarry_proc_read("slabinf", head, sizeof(head)) == -ENOENT);
}

// SLUB has no tunables, and the other texts are not to be written to.
static void writing_is_refused(void) {
  EXPECT(quarry_proc_write("slabinfo", "kmalloc-64 10 5 1", 17) == -EIO);
  EXPECT(quarry_proc_write("meminfo", "1", 1) == -EIO);
  EXPECT(quarry_proc_write("slabinf", "1", 1) == -ENOENT);
}

struct copy {
  char text[1 << 16];
  size_t length;
};

static void append(void* context, const char* text, size_t length) {
  struct copy* copy = context;
  if (copy->length + length > sizeof(copy->text)) return;
  memcpy(copy->text + copy->length, text, length);
  copy->length += length;
}

static void pieces_are_the_same_text(void) {
  static struct copy copy;
  static char whole[1 << 16];
  copy.length = 0;
  EXPECT(quarry_proc_show("zoneinfo", append, &copy) == 0);
  EXPECT(quarry_proc_read("zoneinfo", whole, sizeof(whole)) == (long)copy.length);
  EXPECT(memcmp(whole, copy.text, copy.length) == 0);
  EXPECT(quarry_proc_show("zone", append, &copy) == -ENOENT);
}

const struct c_test proc_tests[] = {
    {"slabinfo_has_the_programs_caches", slabinfo_has_the_programs_caches},
    {"meminfo_follows_vmalloc", meminfo_follows_vmalloc},
    {"every_name_has_a_text", every_name_has_a_text},
    {"a_small_buffer_gets_the_beginning", a_small_buffer_gets_the_beginning},
    {"writing_is_refused", writing_is_refused},
    {"pieces_are_the_same_text", pieces_are_the_same_text},
    {NULL, NULL}};
