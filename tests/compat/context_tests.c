// SPDX-License-Identifier: MIT
// Contexts, atomic sections and spin locks.
#include <linux/fault-inject.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <pthread.h>
#include <signal.h>

#include "c_test.h"

static void starts_in_process_context(void) {
  EXPECT(!in_interrupt() && !in_irq() && !in_hardirq() && !in_softirq() && !in_nmi());
  EXPECT(in_task() && !in_atomic() && !irqs_disabled() && preemptible());
}

static void interrupts(void) {
  irq_enter();
  EXPECT(in_hardirq() && in_interrupt() && in_atomic() && !in_task() && !in_softirq());
  nmi_enter();
  EXPECT(in_nmi() && in_hardirq());
  nmi_exit();
  irq_exit();
  quarry_softirq_enter();
  EXPECT(in_softirq() && in_serving_softirq() && in_interrupt() && !in_task());
  quarry_softirq_exit();
  starts_in_process_context();
}

static void disabling(void) {
  local_bh_disable();
  EXPECT(in_softirq() && in_interrupt() && !in_serving_softirq() && in_task());
  local_bh_enable();
  preempt_disable();
  preempt_disable();
  preempt_enable();
  EXPECT(in_atomic() && !in_interrupt());
  preempt_enable();
  unsigned long outer, inner;
  local_irq_save(outer);
  local_irq_save(inner);
  EXPECT(irqs_disabled() && !in_atomic() && !preemptible());
  local_irq_restore(inner);
  EXPECT(irqs_disabled());
  local_irq_restore(outer);
  EXPECT(!irqs_disabled());
  local_irq_disable();
  local_irq_disable();
  EXPECT(irqs_disabled());
  local_irq_enable();
  starts_in_process_context();
}

static DEFINE_SPINLOCK(lock);

static void locking(void) {
  unsigned long flags;
  EXPECT(!spin_is_locked(&lock));
  spin_lock(&lock);
  EXPECT(spin_is_locked(&lock) && in_atomic() && !irqs_disabled());
  EXPECT(!spin_trylock(&lock));
  EXPECT(in_atomic());
  spin_unlock(&lock);
  EXPECT(spin_trylock(&lock));
  spin_unlock(&lock);
  spin_lock_irqsave(&lock, flags);
  EXPECT(in_atomic() && irqs_disabled());
  spin_unlock_irqrestore(&lock, flags);
  spin_lock_irq(&lock);
  EXPECT(irqs_disabled());
  spin_unlock_irq(&lock);
  spin_lock_bh(&lock);
  EXPECT(in_softirq() && in_atomic());
  spin_unlock_bh(&lock);
  starts_in_process_context();
}

static long shared_counter;

static void* count(void* rounds) {
  for (long i = 0; i != *(long*)rounds; ++i) {
    unsigned long flags;
    spin_lock_irqsave(&lock, flags);
    ++shared_counter;
    spin_unlock_irqrestore(&lock, flags);
  }
  return NULL;
}

static void excludes_other_threads(void) {
  pthread_t threads[4];
  long rounds = 50000;
  shared_counter = 0;
  for (int i = 0; i != 4; ++i) REQUIRE(pthread_create(&threads[i], NULL, count, &rounds) == 0);
  for (int i = 0; i != 4; ++i) pthread_join(threads[i], NULL);
  EXPECT(shared_counter == 4 * rounds);
}

static volatile sig_atomic_t handler_saw_disabled;

static void handler(int signal) {
  (void)signal;
  irq_enter();
  handler_saw_disabled = irqs_disabled();
  irq_exit();
}

static void handlers_see_what_they_interrupt(void) {
  unsigned long flags;
  struct sigaction action = {.sa_handler = handler}, before;
  REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
  raise(SIGUSR1);
  EXPECT(!handler_saw_disabled);
  local_irq_save(flags);
  raise(SIGUSR1);
  EXPECT(handler_saw_disabled);
  EXPECT(irqs_disabled() && !in_interrupt());
  local_irq_restore(flags);
  sigaction(SIGUSR1, &before, NULL);
  starts_in_process_context();
}

static void the_nth_attempt_fails(void) {
  void* objects[3];
  quarry_set_fail_nth(2);
  EXPECT(quarry_fail_nth() == 2);
  for (int i = 0; i != 3; ++i) objects[i] = kmalloc(40, GFP_ATOMIC | __GFP_NOWARN);
  EXPECT(objects[0] != NULL && objects[1] == NULL && objects[2] != NULL);
  EXPECT(quarry_fail_nth() == 0);
  for (int i = 0; i != 3; ++i) kfree(objects[i]);
  /* What may sleep does not count by default. */
  quarry_set_fail_nth(1);
  objects[0] = kmalloc(40, GFP_KERNEL);
  EXPECT(objects[0] != NULL && quarry_fail_nth() == 1);
  quarry_set_fail_nth(0);
  kfree(objects[0]);
}

const struct c_test context_tests[] = {
    {"starts_in_process_context", starts_in_process_context},
    {"interrupts", interrupts},
    {"disabling", disabling},
    {"locking", locking},
    {"excludes_other_threads", excludes_other_threads},
    {"handlers_see_what_they_interrupt", handlers_see_what_they_interrupt},
    {"the_nth_attempt_fails", the_nth_attempt_fails},
    {NULL, NULL}};
