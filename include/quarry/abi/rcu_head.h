/* SPDX-License-Identifier: MIT */
#ifndef QUARRY_ABI_RCU_HEAD_H
#define QUARRY_ABI_RCU_HEAD_H

/* What waits for the end of a grace period. Lies in memory that whoever handed it over leaves alone
 * until then; the kernel calls it rcu_head too. */
struct callback_head {
  struct callback_head* next;
  void (*func)(struct callback_head* head);
} __attribute__((__aligned__(sizeof(void*))));

#endif
