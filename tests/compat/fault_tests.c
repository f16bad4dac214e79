// SPDX-License-Identifier: MIT
// Failures on demand, as a C program asks for them while it runs.
#include <linux/errno.h>
#include <linux/fault-inject.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "c_test.h"

static bool reads(const char* path, const char* wanted) {
  char text[32];
  return quarry_fault_read(path, text, sizeof(text)) == (long)strlen(wanted) &&
         strcmp(text, wanted) == 0;
}

static bool writes(const char* path, const char* value) {
  return quarry_fault_write(path, value) == 0;
}

static int failures(struct kmem_cache* cache, int attempts) {
  int failed = 0;
  for (int i = 0; i != attempts; ++i) {
    void* object = cache != NULL ? kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN)
                                 : kmalloc(64, GFP_NOWAIT | __GFP_NOWARN);
    failed += object == NULL;
    if (cache != NULL && object != NULL) kmem_cache_free(cache, object);
    if (cache == NULL) kfree(object);
  }
  return failed;
}

static void attributes_have_the_kernels_defaults(void) {
  for (int i = 0; i != 2; ++i) {
    char path[64];
    static const char* const defaults[][2] = {{"probability", "0\n"},
                                              {"interval", "1\n"},
                                              {"space", "0\n"},
                                              {"verbose", "2\n"},
                                              {"verbose_ratelimit_interval_ms", "0\n"},
                                              {"verbose_ratelimit_burst", "10\n"},
                                              {"task-filter", "N\n"},
                                              {"ignore-gfp-wait", "Y\n"}};
    for (size_t k = 0; k != sizeof(defaults) / sizeof(*defaults); ++k) {
      strscpy(path, i == 0 ? "failslab/" : "fail_page_alloc/", sizeof(path));
      strcat(path, defaults[k][0]);
      EXPECT(reads(path, defaults[k][1]));
    }
  }
  EXPECT(reads("failslab/cache-filter", "N\n"));
  EXPECT(reads("fail_page_alloc/ignore-gfp-highmem", "Y\n"));
  EXPECT(reads("fail_page_alloc/min-order", "1\n"));
}

static void what_is_wrong_changes_nothing(void) {
  EXPECT(quarry_fault_write("failslab/min-order", "0") == -ENOENT);
  EXPECT(quarry_fault_write("fail_page_alloc/cache-filter", "Y") == -ENOENT);
  EXPECT(quarry_fault_write("failslab", "1") == -ENOENT);
  EXPECT(quarry_fault_write("", "1") == -ENOENT);
  EXPECT(quarry_fault_write("failslab/probability", "101") == -EINVAL);
  EXPECT(quarry_fault_write("failslab/probability", "") == -EINVAL);
  EXPECT(quarry_fault_write("failslab/interval", "0") == -EINVAL);
  EXPECT(quarry_fault_write("failslab/task-filter", "maybe") == -EINVAL);
  EXPECT(quarry_fault_read("failslab/x", NULL, 0) == -ENOENT);
  EXPECT(reads("failslab/probability", "0\n"));
  EXPECT(failures(NULL, 20) == 0);
}

static void fails_while_it_is_told_to(void) {
  EXPECT(writes("failslab/times", "-1") && writes("failslab/interval", "4"));
  EXPECT(writes("failslab/probability", "100"));
  EXPECT(failures(NULL, 20) == 5);
  EXPECT(writes("failslab/task-filter", "Y"));
  EXPECT(failures(NULL, 20) == 0);
  quarry_set_make_it_fail(true);
  EXPECT(failures(NULL, 20) == 5);
  quarry_set_make_it_fail(false);
  EXPECT(writes("failslab/task-filter", "N") && writes("failslab/interval", "1"));
  EXPECT(writes("failslab/probability", "0") && writes("failslab/times", "1"));
  EXPECT(failures(NULL, 20) == 0);
}

static void nothing(void* object) { (void)object; }

static void fails_chosen_caches(void) {
  struct kmem_cache* chosen = kmem_cache_create("fault_chosen", 128, 0, 0, nothing);
  struct kmem_cache* other = kmem_cache_create("fault_other", 128, 0, 0, nothing);
  REQUIRE(chosen != NULL && other != NULL);
  quarry_failslab_cache(chosen, true);
  EXPECT(writes("failslab/cache-filter", "Y") && writes("failslab/times", "-1"));
  EXPECT(writes("failslab/probability", "100"));
  EXPECT(failures(chosen, 20) == 20);
  EXPECT(failures(other, 20) == 0);
  EXPECT(failures(NULL, 20) == 0);
  quarry_failslab_cache(chosen, false);
  EXPECT(failures(chosen, 20) == 0);
  EXPECT(writes("failslab/probability", "0") && writes("failslab/times", "1"));
  EXPECT(writes("failslab/cache-filter", "N"));
  kmem_cache_destroy(chosen);
  kmem_cache_destroy(other);
}

const struct c_test fault_tests[] = {
    {"attributes_have_the_kernels_defaults", attributes_have_the_kernels_defaults},
    {"what_is_wrong_changes_nothing", what_is_wrong_changes_nothing},
    {"fails_while_it_is_told_to", fails_while_it_is_told_to},
    {"fails_chosen_caches", fails_chosen_caches},
    {NULL, NULL}};
