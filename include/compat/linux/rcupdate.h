/* SPDX-License-Identifier: MIT */
/*
 * Read-copy-update: readers of data that others replace wait for nobody, and what was taken away
 * from them is freed when every section that may have seen it has ended. A section begins with
 * rcu_read_lock(); code with preemption or interrupts off is no section here.
 */
#pragma once

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/preempt.h>
#include <linux/stddef.h>
#include <linux/types.h>

QUARRY_DECLARATIONS_BEGIN

/* Sections of a thread nest; inside, nothing may sleep. Any context. */
void rcu_read_lock(void);
void rcu_read_unlock(void);
/* Whether the thread is in one. */
int rcu_read_lock_held(void);

/* Has func(head) called, as a softirq, when a grace period has passed. Any context but NMI. */
void call_rcu(struct rcu_head* head, rcu_callback_t func);
/* Waits for one. Process context; in a section it is reported, and waits for nothing. */
void synchronize_rcu(void);
/* Waits until all functions and frees of calls made before are over. Process context. */
void rcu_barrier(void);

void quarry_kvfree_rcu(struct rcu_head* head, const void* memory);
/* Frees what kmalloc, kvmalloc, vmalloc or a cache gave, when a grace period has passed. May sleep;
 * null is a no-op. */
void kvfree_rcu_mightsleep(const void* memory);

QUARRY_DECLARATIONS_END

static inline void rcu_read_lock_bh(void) {
  local_bh_disable();
  rcu_read_lock();
}
static inline void rcu_read_unlock_bh(void) {
  rcu_read_unlock();
  local_bh_enable();
}
static inline void rcu_read_lock_sched(void) {
  preempt_disable();
  rcu_read_lock();
}
static inline void rcu_read_unlock_sched(void) {
  rcu_read_unlock();
  preempt_enable();
}
static inline void synchronize_rcu_expedited(void) { synchronize_rcu(); }

/* kfree_rcu(pointer, member): the member is a struct rcu_head less than 4096 bytes from the start;
 * any context but NMI. kfree_rcu(pointer): as kvfree_rcu_mightsleep(). */
#define QUARRY_KVFREE_RCU_2(pointer, member)                                            \
  do {                                                                                  \
    __typeof__(pointer) quarry_memory = (pointer);                                      \
    QUARRY_STATIC_ASSERT(__builtin_offsetof(__typeof__(*quarry_memory), member) < 4096, \
                         "the rcu_head is too far from the start");                     \
    if (quarry_memory) quarry_kvfree_rcu(&quarry_memory->member, quarry_memory);        \
  } while (0)
#define QUARRY_KVFREE_RCU_1(pointer) kvfree_rcu_mightsleep(pointer)
#define QUARRY_KVFREE_RCU(_1, _2, form, ...) form
#define kvfree_rcu(...) \
  QUARRY_KVFREE_RCU(__VA_ARGS__, QUARRY_KVFREE_RCU_2, QUARRY_KVFREE_RCU_1, )(__VA_ARGS__)
#define kfree_rcu(...) kvfree_rcu(__VA_ARGS__)
#define kfree_rcu_mightsleep(pointer) kvfree_rcu_mightsleep(pointer)

/* A pointer that readers follow: whoever sees it sees what was written before it was assigned. */
#define rcu_assign_pointer(pointer, value) __atomic_store_n(&(pointer), (value), __ATOMIC_RELEASE)
/* Where no reader can look yet, or with nothing new behind it (null). */
#define RCU_INIT_POINTER(pointer, value) __atomic_store_n(&(pointer), (value), __ATOMIC_RELAXED)
#define rcu_dereference_raw(pointer) __atomic_load_n(&(pointer), __ATOMIC_CONSUME)
/* In a section. */
#define rcu_dereference(pointer) rcu_dereference_raw(pointer)
#define rcu_dereference_bh(pointer) rcu_dereference_raw(pointer)
#define rcu_dereference_sched(pointer) rcu_dereference_raw(pointer)
/* In a section, or where the condition holds. */
#define rcu_dereference_check(pointer, condition) ((void)(condition), rcu_dereference_raw(pointer))
/* By whoever keeps others from changing it. */
#define rcu_dereference_protected(pointer, condition) \
  ((void)(condition), __atomic_load_n(&(pointer), __ATOMIC_RELAXED))
/* Its value only, which is not followed. */
#define rcu_access_pointer(pointer) __atomic_load_n(&(pointer), __ATOMIC_RELAXED)
/* Assigns; the pointer that was there. */
#define rcu_replace_pointer(pointer, value, condition)                                 \
  __extension__({                                                                      \
    __typeof__(pointer) quarry_before = rcu_dereference_protected(pointer, condition); \
    rcu_assign_pointer(pointer, value);                                                \
    quarry_before;                                                                     \
  })
#define rcu_pointer_handoff(pointer) (pointer)
