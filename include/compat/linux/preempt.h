/* SPDX-License-Identifier: MIT */
/*
 * What the running thread is in the middle of. It may sleep if it is in no interrupt, holds no spin
 * lock and has neither preemption nor interrupts off. Sections nest.
 *
 * A program's interrupts are its signal handlers (or calls that play one): between irq_enter() and
 * irq_exit() code counts as a hardware interrupt. "Off" does not hold a signal back; a handler asks
 * irqs_disabled() and defers its work if the thread it interrupted says so.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/types.h>

QUARRY_DECLARATIONS_BEGIN

void preempt_disable(void);
void preempt_enable(void);

void local_bh_disable(void);
void local_bh_enable(void);

void irq_enter(void);
void irq_exit(void);
void nmi_enter(void);
void nmi_exit(void);
/* The body of a tasklet, a timer or another softirq. */
void quarry_softirq_enter(void);
void quarry_softirq_exit(void);

bool in_hardirq(void);
bool in_nmi(void);
/* Softirqs are disabled, or one is running. */
bool in_softirq(void);
bool in_serving_softirq(void);
/* In an interrupt, or with a spin lock held or preemption disabled. Not: with interrupts off. */
bool in_atomic(void);

/* Reports "sleeping function called from invalid context", once for each place. */
void might_sleep(void);

QUARRY_DECLARATIONS_END

static inline bool in_irq(void) { return in_hardirq(); }
static inline bool in_interrupt(void) { return in_hardirq() || in_nmi() || in_softirq(); }
static inline bool in_task(void) { return !in_hardirq() && !in_nmi() && !in_serving_softirq(); }
static inline bool preemptible(void) { return !in_atomic() && !irqs_disabled(); }

#define might_sleep_if(condition) \
  do {                            \
    if (condition) might_sleep(); \
  } while (0)
