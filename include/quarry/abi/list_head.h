/* SPDX-License-Identifier: MIT */
#ifndef QUARRY_ABI_LIST_HEAD_H
#define QUARRY_ABI_LIST_HEAD_H

/* The kernel's link of a circular doubly linked list. */
struct list_head {
  struct list_head *next, *prev;
};

#endif
