/* SPDX-License-Identifier: MIT */
/*
 * Spin locks between threads. While one is held the thread is in an atomic section: an allocation
 * that may sleep is reported. The _irq forms also turn interrupts off, see preempt.h.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/spinlock_types.h>

QUARRY_DECLARATIONS_BEGIN

void spin_lock(spinlock_t* lock);
void spin_unlock(spinlock_t* lock);
/* Non-zero: taken. */
int spin_trylock(spinlock_t* lock);
void spin_lock_irq(spinlock_t* lock);
void spin_unlock_irq(spinlock_t* lock);
void spin_lock_bh(spinlock_t* lock);
void spin_unlock_bh(spinlock_t* lock);
unsigned long quarry_spin_lock_irqsave(spinlock_t* lock);
void spin_unlock_irqrestore(spinlock_t* lock, unsigned long flags);
int spin_is_locked(spinlock_t* lock);

QUARRY_DECLARATIONS_END

static inline void spin_lock_init(spinlock_t* lock) { lock->quarry_word = 0; }
/* `flags` is a variable, unsigned long. */
#define spin_lock_irqsave(lock, flags) ((void)((flags) = quarry_spin_lock_irqsave(lock)))
#define spin_lock_nested(lock, subclass) spin_lock(lock)
#define assert_spin_locked(lock) BUG_ON(!spin_is_locked(lock))

#define raw_spin_lock_init(lock) spin_lock_init(lock)
#define raw_spin_lock(lock) spin_lock(lock)
#define raw_spin_unlock(lock) spin_unlock(lock)
#define raw_spin_trylock(lock) spin_trylock(lock)
#define raw_spin_lock_irq(lock) spin_lock_irq(lock)
#define raw_spin_unlock_irq(lock) spin_unlock_irq(lock)
#define raw_spin_lock_irqsave(lock, flags) spin_lock_irqsave(lock, flags)
#define raw_spin_unlock_irqrestore(lock, flags) spin_unlock_irqrestore(lock, flags)

#include <linux/bug.h>
