// SPDX-License-Identifier: MIT
#include <linux/list.h>

#include "c_test.h"

struct item {
  int number;
  struct list_head link;
  struct hlist_node node;
};

// The numbers of the list as decimal digits.
static long digits(struct list_head* head) {
  struct item* item;
  long forward = 0, backward = 0, scale = 1;
  list_for_each_entry(item, head, link) forward = forward * 10 + item->number;
  list_for_each_entry_reverse(item, head, link) {
    backward += item->number * scale;
    scale *= 10;
  }
  EXPECT(forward == backward);
  return forward;
}

static void fill(struct list_head* head, struct item* items, int first, int last) {
  INIT_LIST_HEAD(head);
  for (int number = first; number <= last; ++number) {
    items[number].number = number;
    list_add_tail(&items[number].link, head);
  }
}

static void adding_and_removing(void) {
  LIST_HEAD(head);
  struct item items[10];
  EXPECT(list_empty(&head) && list_empty_careful(&head));
  EXPECT(list_first_entry_or_null(&head, struct item, link) == NULL);
  fill(&head, items, 1, 4);
  EXPECT(digits(&head) == 1234);
  EXPECT(list_count_nodes(&head) == 4);
  items[9].number = 9;
  list_add(&items[9].link, &head);
  EXPECT(digits(&head) == 91234);
  list_del(&items[2].link);
  EXPECT(digits(&head) == 9134);
  EXPECT(items[2].link.next == LIST_POISON1 && items[2].link.prev == LIST_POISON2);
  list_del_init(&items[3].link);
  EXPECT(list_empty(&items[3].link));
  list_replace(&items[1].link, &items[3].link);
  EXPECT(digits(&head) == 934);
  list_swap(&items[9].link, &items[4].link);
  EXPECT(digits(&head) == 439);
  list_swap(&items[3].link, &items[9].link);
  EXPECT(digits(&head) == 493);
  EXPECT(list_is_first(&items[4].link, &head) && list_is_last(&items[3].link, &head));
  EXPECT(list_first_entry(&head, struct item, link) == &items[4]);
  EXPECT(list_last_entry(&head, struct item, link) == &items[3]);
  EXPECT(list_next_entry(&items[4], link) == &items[9]);
}

static void moving(void) {
  struct list_head a, b, cut;
  struct item items[10];
  fill(&a, items, 1, 4);
  fill(&b, items, 5, 7);
  list_move(&items[2].link, &b);
  list_move_tail(&items[1].link, &b);
  EXPECT(digits(&a) == 34 && digits(&b) == 25671);
  list_splice_init(&a, &b);
  EXPECT(list_empty(&a) && digits(&b) == 3425671);
  list_rotate_left(&b);
  EXPECT(digits(&b) == 4256713);
  list_cut_position(&cut, &b, &items[5].link);
  EXPECT(digits(&cut) == 425 && digits(&b) == 6713);
  list_splice_tail_init(&cut, &b);
  EXPECT(digits(&b) == 6713425 && list_empty(&cut));
  list_bulk_move_tail(&b, &items[7].link, &items[3].link);
  EXPECT(digits(&b) == 6425713);
  list_rotate_to_front(&items[2].link, &b);
  EXPECT(digits(&b) == 2571364);
  EXPECT(!list_is_singular(&b));
}

static void walking(void) {
  struct list_head head, *at, *next_link;
  struct item items[10], *item, *next;
  long seen = 0;
  fill(&head, items, 1, 5);
  list_for_each(at, &head) seen = seen * 10 + list_entry(at, struct item, link)->number;
  list_for_each_prev(at, &head) seen = seen * 10 + list_entry(at, struct item, link)->number;
  EXPECT(seen == 1234554321);
  item = &items[3];
  seen = 0;
  list_for_each_entry_continue(item, &head, link) seen = seen * 10 + item->number;
  item = &items[3];
  list_for_each_entry_from(item, &head, link) seen = seen * 10 + item->number;
  item = list_prepare_entry((struct item*)NULL, &head, link);
  list_for_each_entry_continue(item, &head, link) seen = seen * 10 + item->number;
  EXPECT(seen == 4534512345);
  list_for_each_safe(at, next_link, &head) {
    if (list_entry(at, struct item, link)->number % 2 == 0) list_del(at);
  }
  EXPECT(digits(&head) == 135);
  list_for_each_entry_safe_reverse(item, next, &head, link) {
    if (item->number == 3) list_del(&item->link);
  }
  EXPECT(digits(&head) == 15);
  list_for_each_entry_safe(item, next, &head, link) list_del(&item->link);
  EXPECT(list_empty(&head));
}

static void hash_chains(void) {
  HLIST_HEAD(head);
  HLIST_HEAD(other);
  struct item items[5], *item;
  struct hlist_node* next;
  long seen = 0;
  for (int i = 0; i != 5; ++i) {
    items[i].number = i;
    INIT_HLIST_NODE(&items[i].node);
    EXPECT(hlist_unhashed(&items[i].node));
  }
  EXPECT(hlist_empty(&head));
  hlist_add_head(&items[1].node, &head);
  hlist_add_before(&items[2].node, &items[1].node);
  hlist_add_behind(&items[3].node, &items[1].node);
  hlist_for_each_entry(item, &head, node) seen = seen * 10 + item->number;
  EXPECT(seen == 213);
  hlist_del_init(&items[1].node);
  hlist_del_init(&items[1].node);
  hlist_move_list(&head, &other);
  EXPECT(hlist_empty(&head));
  seen = 0;
  hlist_for_each_entry_safe(item, next, &other, node) {
    seen = seen * 10 + item->number;
    hlist_del(&item->node);
  }
  EXPECT(seen == 23 && hlist_empty(&other));
}

const struct c_test list_tests[] = {{"adding_and_removing", adding_and_removing},
                                    {"moving", moving},
                                    {"walking", walking},
                                    {"hash_chains", hash_chains},
                                    {NULL, NULL}};
