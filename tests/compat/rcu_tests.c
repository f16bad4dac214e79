/* SPDX-License-Identifier: MIT */
/* <linux/rcupdate.h> */
#include <linux/container_of.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "c_test.h"

struct item {
  int value;
  struct rcu_head rcu;
};

static struct item __rcu* current_item;
static int calls;

static void free_item(struct rcu_head* head) {
  struct item* item = container_of(head, struct item, rcu);
  calls += item->value;
  EXPECT(in_serving_softirq());
  kfree(item);
}

static struct item* new_item(int value) {
  struct item* item = kmalloc(sizeof(*item), GFP_KERNEL);
  if (item) item->value = value;
  return item;
}

static void sections_nest(void) {
  EXPECT(!rcu_read_lock_held());
  rcu_read_lock();
  rcu_read_lock_bh();
  rcu_read_lock_sched();
  EXPECT(rcu_read_lock_held() && in_softirq());
  rcu_read_unlock_sched();
  rcu_read_unlock_bh();
  EXPECT(rcu_read_lock_held());
  rcu_read_unlock();
  EXPECT(!rcu_read_lock_held());
}

static void a_reader_sees_the_old_item_until_it_is_done(void) {
  struct item* first = new_item(1);
  struct item* second = new_item(10);
  REQUIRE(first && second);
  calls = 0;
  RCU_INIT_POINTER(current_item, first);
  rcu_read_lock();
  const struct item* seen = rcu_dereference(current_item);
  EXPECT(rcu_replace_pointer(current_item, second, 1) == first);
  call_rcu(&first->rcu, free_item);
  EXPECT(seen->value == 1 && calls == 0);
  EXPECT(rcu_dereference_check(current_item, 1)->value == 10);
  rcu_read_unlock();
  rcu_barrier();
  EXPECT(calls == 1);
  struct item* last = rcu_dereference_protected(current_item, 1);
  rcu_assign_pointer(current_item, NULL);
  EXPECT(!rcu_access_pointer(current_item));
  synchronize_rcu();
  synchronize_rcu_expedited();
  kfree(last);
}

/* Counted by the cache, which can only be destroyed when all objects are back. */
static void kfree_rcu_frees_objects_of_any_kind(void) {
  struct kmem_cache* cache = KMEM_CACHE(item, 0);
  REQUIRE(cache);
  for (int i = 0; i != 100; ++i) {
    struct item* item = kmem_cache_alloc(cache, GFP_KERNEL);
    REQUIRE(item);
    rcu_read_lock();
    kfree_rcu(item, rcu);
    item->value = i;
    rcu_read_unlock();
  }
  struct item* area = vmalloc(100000);
  struct item* other = vmalloc(100000);
  struct item* without_head = kmem_cache_alloc(cache, GFP_KERNEL);
  struct item* nothing = NULL;
  REQUIRE(area && other && without_head);
  kvfree_rcu(area, rcu);
  kvfree_rcu(other);
  kfree_rcu_mightsleep(without_head);
  kfree_rcu(nothing, rcu);
  kvfree_rcu_mightsleep(NULL);
  rcu_barrier();
  EXPECT(!vmalloc_to_page(area) && !vmalloc_to_page(other));
  EXPECT(kmem_cache_shrink(cache) == 0);
  kmem_cache_destroy(cache);
}

const struct c_test rcu_tests[] = {
    {"sections_nest", sections_nest},
    {"a_reader_sees_the_old_item_until_it_is_done", a_reader_sees_the_old_item_until_it_is_done},
    {"kfree_rcu_frees_objects_of_any_kind", kfree_rcu_frees_objects_of_any_kind},
    {NULL, NULL},
};
