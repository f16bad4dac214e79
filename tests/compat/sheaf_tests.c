// SPDX-License-Identifier: MIT
// Objects that are taken in advance, and size classes of one's own.
#include <linux/errno.h>
#include <linux/fault-inject.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "c_test.h"

static DEFINE_SPINLOCK(lock);

/* The n-th attempt from now on fails; 0: none. */
static void fail_nth(unsigned int n) {
  quarry_fault_write("failslab/ignore-gfp-wait", n != 0 ? "N" : "Y");
  quarry_set_fail_nth(n);
}

static void what_was_taken_in_advance_cannot_fail(void) {
  struct kmem_cache* cache = kmem_cache_create("compat_sheaf", 100, 0, 0, NULL);
  REQUIRE(cache != NULL);
  struct slab_sheaf* sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 50);
  REQUIRE(sheaf != NULL);
  EXPECT(kmem_cache_sheaf_size(sheaf) == 50);
  void* objects[50];
  spin_lock(&lock);
  fail_nth(1);
  for (int i = 0; i != 50; ++i) {
    objects[i] = kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL | __GFP_ZERO, sheaf);
    REQUIRE(objects[i] != NULL);
    for (int at = 0; at != 100; ++at) EXPECT(((char*)objects[i])[at] == 0);
    memset(objects[i], i, 100);
  }
  fail_nth(0);
  EXPECT(kmem_cache_alloc_from_sheaf(cache, GFP_ATOMIC, sheaf) == NULL);
  spin_unlock(&lock);
  for (int i = 0; i != 50; ++i) EXPECT(((char*)objects[i])[99] == i);
  for (int i = 0; i != 50; ++i) kmem_cache_free(cache, objects[i]);
  kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
  EXPECT(kmem_cache_shrink(cache) == 0);
  kmem_cache_destroy(cache);
}

static void sheaves_are_filled_again_or_left_as_they_are(void) {
  struct kmem_cache* cache = kmem_cache_create("compat_refill", 200, 0, 0, NULL);
  struct slab_sheaf* sheaf = NULL;
  EXPECT(kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, 3) == -EINVAL);
  EXPECT(kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 0) == NULL);
  sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 10);
  REQUIRE(sheaf != NULL);
  void* one = kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, sheaf);
  struct slab_sheaf* const first = sheaf;
  EXPECT(kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, 10) == 0 && sheaf == first);
  EXPECT(kmem_cache_sheaf_size(sheaf) == 10);
  EXPECT(kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, 4) == 0);
  EXPECT(kmem_cache_sheaf_size(sheaf) == 10);
  kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
  kmem_cache_free(cache, one);
  // Room for more: whatever of it cannot be had, the sheaf is as it was. The first time nothing
  // fails, and brings the pages that the others need.
  int failures = 0;
  for (unsigned nth = 0, left = 0; left == 0; ++nth) {
    sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 10);
    REQUIRE(sheaf != NULL);
    struct slab_sheaf* const old = sheaf;
    fail_nth(nth);
    const int error = kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, 200);
    left = quarry_fail_nth();
    fail_nth(0);
    EXPECT(error == 0 || (error == -ENOMEM && sheaf == old));
    EXPECT(kmem_cache_sheaf_size(sheaf) == (error == 0 ? 200 : 10));
    if (error != 0) ++failures;
    kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
  }
  EXPECT(failures >= 2);  // for the sheaf and for its objects
  EXPECT(kmem_cache_prefill_sheaf(cache, GFP_KERNEL | __GFP_NOWARN, 0x7fffffffu) == NULL);
  EXPECT(kmem_cache_shrink(cache) == 0);
  kmem_cache_destroy(cache);
}

static int constructed;
static void construct(void* object) {
  (void)object;
  ++constructed;
}

static void buckets_have_caches_of_their_own(void) {
  kmem_buckets* buckets = kmem_buckets_create("compat_msg", SLAB_ACCOUNT, 0, 4096, NULL);
  REQUIRE(!ZERO_OR_NULL_PTR(buckets));
  char text[16];
  for (size_t bytes = 1; bytes <= 8192; bytes += 1 + bytes / 7) {
    void* object = kmem_buckets_alloc(buckets, bytes, GFP_KERNEL | __GFP_ZERO);
    void* other = kmalloc(bytes, GFP_KERNEL);
    REQUIRE(object != NULL && other != NULL);
    EXPECT(ksize(object) == ksize(other));
    EXPECT(((char*)object)[bytes - 1] == 0);
    // No page has objects of both.
    EXPECT(virt_to_head_page(object) != virt_to_head_page(other));
    kfree(object);
    kfree(other);
  }
  EXPECT(quarry_slab_attr_show("compat_msg-96", "usersize", text, sizeof(text)) > 0);
  EXPECT(strcmp(text, "96\n") == 0);
  EXPECT(quarry_slab_attr_show("compat_msg-8k", "usersize", text, sizeof(text)) > 0);
  EXPECT(strcmp(text, "4096\n") == 0);
  void* large = kmem_buckets_alloc_track_caller(buckets, 20000, GFP_KERNEL);
  EXPECT(large != NULL && ksize(large) == 32768);
  kfree(large);
  EXPECT(kmem_buckets_alloc(buckets, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
  for (size_t bytes = 100; bytes < 10000000; bytes *= 9) {
    void* any = kmem_buckets_valloc(buckets, bytes, GFP_KERNEL);
    EXPECT(any != NULL);
    kvfree(any);
  }
  // Without buckets it is kmalloc.
  void* plain = kmem_buckets_alloc(NULL, 100, GFP_KERNEL);
  EXPECT(plain != NULL && ksize(plain) == 128);
  kfree(plain);
  plain = kmem_buckets_valloc(ZERO_SIZE_PTR, 100, GFP_KERNEL);
  EXPECT(plain != NULL && !is_vmalloc_addr(plain));
  kvfree(plain);

  buckets = kmem_buckets_create("compat_made", 0, 0, 0, construct);
  REQUIRE(buckets != NULL);
  kfree(kmem_buckets_alloc(buckets, 500, GFP_KERNEL));
  EXPECT(constructed != 0);
}

static void buckets_that_cannot_be_had_leave_nothing(void) {
  int nth = 1;
  for (;; ++nth) {
    fail_nth(nth);
    kmem_buckets* const buckets = kmem_buckets_create("compat_some", 0, 0, 0, NULL);
    fail_nth(0);
    if (buckets != NULL) break;
    EXPECT(quarry_slab_attr_show("compat_some-8k", "order", NULL, 0) == -ENOENT);
  }
  EXPECT(nth > 13);
}

const struct c_test sheaf_tests[] = {
    {"what_was_taken_in_advance_cannot_fail", what_was_taken_in_advance_cannot_fail},
    {"sheaves_are_filled_again_or_left_as_they_are", sheaves_are_filled_again_or_left_as_they_are},
    {"buckets_have_caches_of_their_own", buckets_have_caches_of_their_own},
    {"buckets_that_cannot_be_had_leave_nothing", buckets_that_cannot_be_had_leave_nothing},
    {NULL, NULL},
};
