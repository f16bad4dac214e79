/* SPDX-License-Identifier: MIT */
/*
 * Circular doubly linked lists whose links lie in the entries. A head is a link too, so an empty
 * list is a head that leads to itself. hlist is the form with a head of one word, for hash tables.
 * The caller locks.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/poison.h>
#include <linux/types.h>

#define LIST_HEAD_INIT(name) \
  { &(name), &(name) }
/* The C library's queues (sys/queue.h) have a macro of this name. */
#undef LIST_HEAD
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head* list) {
  list->next = list;
  list->prev = list;
}

/* Between two links that are neighbours. */
static inline void __list_add(struct list_head* entry, struct list_head* prev,
                              struct list_head* next) {
  next->prev = entry;
  entry->next = next;
  entry->prev = prev;
  WRITE_ONCE(prev->next, entry);
}
static inline void list_add(struct list_head* entry, struct list_head* head) {
  __list_add(entry, head, head->next);
}
static inline void list_add_tail(struct list_head* entry, struct list_head* head) {
  __list_add(entry, head->prev, head);
}

static inline void __list_del(struct list_head* prev, struct list_head* next) {
  next->prev = prev;
  WRITE_ONCE(prev->next, next);
}
static inline void __list_del_entry(struct list_head* entry) {
  __list_del(entry->prev, entry->next);
}
/* The entry's links are poisoned: it may be added again, but not removed. */
static inline void list_del(struct list_head* entry) {
  __list_del_entry(entry);
  entry->next = (struct list_head*)LIST_POISON1;
  entry->prev = (struct list_head*)LIST_POISON2;
}
static inline void list_del_init(struct list_head* entry) {
  __list_del_entry(entry);
  INIT_LIST_HEAD(entry);
}

static inline void list_replace(struct list_head* old, struct list_head* entry) {
  entry->next = old->next;
  entry->next->prev = entry;
  entry->prev = old->prev;
  entry->prev->next = entry;
}
static inline void list_replace_init(struct list_head* old, struct list_head* entry) {
  list_replace(old, entry);
  INIT_LIST_HEAD(old);
}
static inline void list_swap(struct list_head* a, struct list_head* b) {
  struct list_head* place = b->prev;
  list_del(b);
  list_replace(a, b);
  list_add(a, place == a ? b : place);
}

static inline void list_move(struct list_head* entry, struct list_head* head) {
  __list_del_entry(entry);
  list_add(entry, head);
}
static inline void list_move_tail(struct list_head* entry, struct list_head* head) {
  __list_del_entry(entry);
  list_add_tail(entry, head);
}
/* The run from `first` to `last`, both included, to the end of the list of `head`. */
static inline void list_bulk_move_tail(struct list_head* head, struct list_head* first,
                                       struct list_head* last) {
  __list_del(first->prev, last->next);
  head->prev->next = first;
  first->prev = head->prev;
  last->next = head;
  head->prev = last;
}

static inline int list_empty(const struct list_head* head) { return READ_ONCE(head->next) == head; }
/* Also without the lock, if all that others do is list_del_init(). */
static inline int list_empty_careful(const struct list_head* head) {
  const struct list_head* next = READ_ONCE(head->next);
  return next == head && next == READ_ONCE(head->prev);
}
static inline int list_is_singular(const struct list_head* head) {
  return !list_empty(head) && head->next == head->prev;
}
static inline int list_is_first(const struct list_head* entry, const struct list_head* head) {
  return entry->prev == head;
}
static inline int list_is_last(const struct list_head* entry, const struct list_head* head) {
  return entry->next == head;
}
static inline int list_is_head(const struct list_head* entry, const struct list_head* head) {
  return entry == head;
}

static inline void list_rotate_left(struct list_head* head) {
  if (!list_empty(head)) list_move_tail(head->next, head);
}
/* Makes `entry` the first of the list. */
static inline void list_rotate_to_front(struct list_head* entry, struct list_head* head) {
  list_move_tail(head, entry);
}
/* Moves what comes up to `entry`, included, to `list`, whose former entries are lost. */
static inline void list_cut_position(struct list_head* list, struct list_head* head,
                                     struct list_head* entry) {
  if (list_empty(head) || entry == head) {
    INIT_LIST_HEAD(list);
    return;
  }
  list->next = head->next;
  list->next->prev = list;
  head->next = entry->next;
  head->next->prev = head;
  list->prev = entry;
  entry->next = list;
}

static inline void __list_splice(const struct list_head* list, struct list_head* prev,
                                 struct list_head* next) {
  list->next->prev = prev;
  prev->next = list->next;
  list->prev->next = next;
  next->prev = list->prev;
}
/* Joins the entries of `list` to those of `head`; without _init `list` is unusable afterwards. */
static inline void list_splice(const struct list_head* list, struct list_head* head) {
  if (!list_empty(list)) __list_splice(list, head, head->next);
}
static inline void list_splice_tail(const struct list_head* list, struct list_head* head) {
  if (!list_empty(list)) __list_splice(list, head->prev, head);
}
static inline void list_splice_init(struct list_head* list, struct list_head* head) {
  list_splice(list, head);
  INIT_LIST_HEAD(list);
}
static inline void list_splice_tail_init(struct list_head* list, struct list_head* head) {
  list_splice_tail(list, head);
  INIT_LIST_HEAD(list);
}

static inline size_t list_count_nodes(const struct list_head* head) {
  size_t count = 0;
  for (const struct list_head* at = head->next; at != head; at = at->next) ++count;
  return count;
}

#define list_entry(link, type, member) container_of(link, type, member)
/* Of a list that is not empty. */
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
  (list_empty(head) ? (type*)0 : list_first_entry(head, type, member))
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_entry_is_head(pos, head, member) (&(pos)->member == (head))

#define list_for_each(pos, head) for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_prev(pos, head) for (pos = (head)->prev; pos != (head); pos = pos->prev)
#define list_for_each_continue(pos, head) for (pos = pos->next; pos != (head); pos = pos->next)
/* The _safe forms let the body remove the entry it is at; `n` is room for the next one. */
#define list_for_each_safe(pos, n, head) \
  for (pos = (head)->next, n = pos->next; pos != (head); pos = n, n = pos->next)
#define list_for_each_prev_safe(pos, n, head) \
  for (pos = (head)->prev, n = pos->prev; pos != (head); pos = n, n = pos->prev)

#define list_for_each_entry(pos, head, member)                 \
  for (pos = list_first_entry(head, __typeof__(*pos), member); \
       !list_entry_is_head(pos, head, member); pos = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)        \
  for (pos = list_last_entry(head, __typeof__(*pos), member); \
       !list_entry_is_head(pos, head, member); pos = list_prev_entry(pos, member))
/* What _continue starts after: an entry, or the head for null. */
#define list_prepare_entry(pos, head, member) \
  ((pos) ? (pos) : quarry_entry_of_head(head, __typeof__(*(pos)), member))
/* There is no entry round a head. The compiler does not get to see that, or it warns. */
#define quarry_entry_of_head(head, type, member) \
  __extension__({                                \
    struct list_head* quarry_head = (head);      \
    __asm__("" : "+r"(quarry_head));             \
    list_entry(quarry_head, type, member);       \
  })
#define list_for_each_entry_continue(pos, head, member)                            \
  for (pos = list_next_entry(pos, member); !list_entry_is_head(pos, head, member); \
       pos = list_next_entry(pos, member))
#define list_for_each_entry_continue_reverse(pos, head, member)                    \
  for (pos = list_prev_entry(pos, member); !list_entry_is_head(pos, head, member); \
       pos = list_prev_entry(pos, member))
#define list_for_each_entry_from(pos, head, member) \
  for (; !list_entry_is_head(pos, head, member); pos = list_next_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member)                                           \
  for (pos = list_first_entry(head, __typeof__(*pos), member), n = list_next_entry(pos, member); \
       !list_entry_is_head(pos, head, member); pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_safe_continue(pos, n, head, member)              \
  for (pos = list_next_entry(pos, member), n = list_next_entry(pos, member); \
       !list_entry_is_head(pos, head, member); pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_safe_from(pos, n, head, member)                      \
  for (n = list_next_entry(pos, member); !list_entry_is_head(pos, head, member); \
       pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_safe_reverse(pos, n, head, member)                                  \
  for (pos = list_last_entry(head, __typeof__(*pos), member), n = list_prev_entry(pos, member); \
       !list_entry_is_head(pos, head, member); pos = n, n = list_prev_entry(n, member))

#define HLIST_HEAD_INIT \
  { NULL }
#define HLIST_HEAD(name) struct hlist_head name = HLIST_HEAD_INIT
#define INIT_HLIST_HEAD(head) ((head)->first = NULL)
static inline void INIT_HLIST_NODE(struct hlist_node* node) {
  node->next = NULL;
  node->pprev = NULL;
}

static inline int hlist_unhashed(const struct hlist_node* node) { return !node->pprev; }
static inline int hlist_empty(const struct hlist_head* head) { return !READ_ONCE(head->first); }

static inline void __hlist_del(struct hlist_node* node) {
  struct hlist_node* next = node->next;
  WRITE_ONCE(*node->pprev, next);
  if (next) next->pprev = node->pprev;
}
static inline void hlist_del(struct hlist_node* node) {
  __hlist_del(node);
  node->next = (struct hlist_node*)LIST_POISON1;
  node->pprev = (struct hlist_node**)LIST_POISON2;
}
/* Of a node that is in no list: nothing. */
static inline void hlist_del_init(struct hlist_node* node) {
  if (hlist_unhashed(node)) return;
  __hlist_del(node);
  INIT_HLIST_NODE(node);
}
static inline void hlist_add_head(struct hlist_node* node, struct hlist_head* head) {
  node->next = head->first;
  if (head->first) head->first->pprev = &node->next;
  WRITE_ONCE(head->first, node);
  node->pprev = &head->first;
}
static inline void hlist_add_before(struct hlist_node* node, struct hlist_node* next) {
  node->pprev = next->pprev;
  node->next = next;
  next->pprev = &node->next;
  WRITE_ONCE(*node->pprev, node);
}
static inline void hlist_add_behind(struct hlist_node* node, struct hlist_node* prev) {
  node->next = prev->next;
  node->pprev = &prev->next;
  if (node->next) node->next->pprev = &node->next;
  WRITE_ONCE(prev->next, node);
}
static inline void hlist_move_list(struct hlist_head* from, struct hlist_head* to) {
  to->first = from->first;
  if (to->first) to->first->pprev = &to->first;
  from->first = NULL;
}

#define hlist_entry(link, type, member) container_of(link, type, member)
#define hlist_entry_safe(link, type, member)                         \
  __extension__({                                                    \
    struct hlist_node* quarry_link = (link);                         \
    quarry_link ? hlist_entry(quarry_link, type, member) : (type*)0; \
  })
#define hlist_for_each(pos, head) for (pos = (head)->first; pos; pos = pos->next)
#define hlist_for_each_safe(pos, n, head) \
  for (pos = (head)->first; pos && ((n = pos->next), 1); pos = n)
#define hlist_for_each_entry(pos, head, member)                                \
  for (pos = hlist_entry_safe((head)->first, __typeof__(*(pos)), member); pos; \
       pos = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member))
/* Here `n` is a node, not an entry. */
#define hlist_for_each_entry_safe(pos, n, head, member)                 \
  for (pos = hlist_entry_safe((head)->first, __typeof__(*pos), member); \
       pos && ((n = pos->member.next), 1); pos = hlist_entry_safe(n, __typeof__(*pos), member))
