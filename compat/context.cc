// SPDX-License-Identifier: MIT

// What the running thread is in the middle of (linux/preempt.h), spin locks, and the faults it has
// asked for.

#include <linux/fault-inject.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>

#include "default_system.h"
#include "gfp/memalloc_scope.h"
#include "quarry/fault_parameters.h"
#include "world.h"

namespace quarry {
namespace {

// As in Linux: a softirq that runs counts one, disabling softirqs two, so that both can be told.
constexpr uint32_t kServingSoftirq = 1;

bool serving(const quarry_context& context) {
  return (context.hardirq_depth | context.nmi_depth | (context.softirq_depth & kServingSoftirq)) !=
         0;
}

void enter_interrupt(uint32_t quarry_context::*depth, const SectionEntry& entry) {
  quarry_context& context = Arch::context();
  if (!serving(context)) context.interrupted_forbidden_gfp = context.forbidden_gfp;
  enter_section(depth, entry);
}

void leave_interrupt(uint32_t quarry_context::*depth) {
  leave_section(depth);
  quarry_context& context = Arch::context();
  if (!serving(context)) context.forbidden_gfp = context.interrupted_forbidden_gfp;
}

void disable_softirqs(const SectionEntry& entry) {
  enter_section(&quarry_context::softirq_depth, entry);
  Arch::context().softirq_depth += 1;
}

void enable_softirqs() {
  Arch::context().softirq_depth -= 1;
  leave_section(&quarry_context::softirq_depth);
}

unsigned long save_irq(const SectionEntry& entry) {
  hold_interrupts();
  const unsigned long before = Arch::context().irq_off_depth;
  enter_section(&quarry_context::irq_off_depth, entry);
  return before;
}

void restore_irq(unsigned long flags) {
  quarry_context& context = Arch::context();
  context.irq_off_depth = static_cast<uint32_t>(flags);
  update_forbidden_gfp(context);
  if (flags == 0) release_interrupts();
}

bool try_acquire(spinlock_t* lock) {
  return __atomic_exchange_n(&lock->quarry_word, 1, __ATOMIC_ACQUIRE) == 0;
}

void acquire(spinlock_t* lock, const SectionEntry& entry) {
  enter_section(&quarry_context::atomic_depth, entry);
  unsigned spins = 0;
  while (!try_acquire(lock)) {
    while (spin_is_locked(lock)) Arch::relax(spins++);
  }
}

void release(spinlock_t* lock) {
  // Pairs with the exchange in try_acquire().
  __atomic_store_n(&lock->quarry_word, 0, __ATOMIC_RELEASE);
  leave_section(&quarry_context::atomic_depth);
}

}  // namespace
}  // namespace quarry

using quarry::Arch;

extern "C" {

void preempt_disable() {
  quarry::enter_section(&quarry_context::atomic_depth, QUARRY_SECTION_ENTRY);
}
void preempt_enable() { quarry::leave_section(&quarry_context::atomic_depth); }

void local_bh_disable() { quarry::disable_softirqs(QUARRY_SECTION_ENTRY); }
void local_bh_enable() { quarry::enable_softirqs(); }

void irq_enter() { quarry::enter_interrupt(&quarry_context::hardirq_depth, QUARRY_SECTION_ENTRY); }
void irq_exit() { quarry::leave_interrupt(&quarry_context::hardirq_depth); }
void nmi_enter() { quarry::enter_interrupt(&quarry_context::nmi_depth, QUARRY_SECTION_ENTRY); }
void nmi_exit() { quarry::leave_interrupt(&quarry_context::nmi_depth); }
void quarry_softirq_enter() {
  quarry::enter_interrupt(&quarry_context::softirq_depth, QUARRY_SECTION_ENTRY);
}
void quarry_softirq_exit() { quarry::leave_interrupt(&quarry_context::softirq_depth); }

bool in_hardirq() { return Arch::context().hardirq_depth != 0; }
bool in_nmi() { return Arch::context().nmi_depth != 0; }
bool in_softirq() { return Arch::context().softirq_depth != 0; }
bool in_serving_softirq() { return (Arch::context().softirq_depth & quarry::kServingSoftirq) != 0; }
bool in_atomic() {
  const quarry_context& context = Arch::context();
  return context.atomic_depth != 0 || quarry::in_interrupt(context);
}

bool irqs_disabled() { return Arch::context().irq_off_depth != 0 || quarry::interrupts_held(); }
void local_irq_disable() {
  if (!irqs_disabled()) quarry::save_irq(QUARRY_SECTION_ENTRY);
}
void local_irq_enable() { quarry::restore_irq(0); }
unsigned long quarry_local_irq_save() { return quarry::save_irq(QUARRY_SECTION_ENTRY); }
void local_irq_restore(unsigned long flags) { quarry::restore_irq(flags); }

void spin_lock(spinlock_t* lock) { quarry::acquire(lock, QUARRY_SECTION_ENTRY); }
void spin_unlock(spinlock_t* lock) { quarry::release(lock); }

int spin_trylock(spinlock_t* lock) {
  quarry::enter_section(&quarry_context::atomic_depth, QUARRY_SECTION_ENTRY);
  if (quarry::try_acquire(lock)) return 1;
  quarry::leave_section(&quarry_context::atomic_depth);
  return 0;
}

void spin_lock_irq(spinlock_t* lock) {
  if (!irqs_disabled()) quarry::save_irq(QUARRY_SECTION_ENTRY);
  quarry::acquire(lock, QUARRY_SECTION_ENTRY);
}
void spin_unlock_irq(spinlock_t* lock) {
  quarry::release(lock);
  quarry::restore_irq(0);
}

void spin_lock_bh(spinlock_t* lock) {
  quarry::disable_softirqs(QUARRY_SECTION_ENTRY);
  quarry::acquire(lock, QUARRY_SECTION_ENTRY);
}
void spin_unlock_bh(spinlock_t* lock) {
  quarry::release(lock);
  quarry::enable_softirqs();
}

unsigned long quarry_spin_lock_irqsave(spinlock_t* lock) {
  const unsigned long flags = quarry::save_irq(QUARRY_SECTION_ENTRY);
  quarry::acquire(lock, QUARRY_SECTION_ENTRY);
  return flags;
}
void spin_unlock_irqrestore(spinlock_t* lock, unsigned long flags) {
  quarry::release(lock);
  quarry::restore_irq(flags);
}

int spin_is_locked(spinlock_t* lock) {
  return __atomic_load_n(&lock->quarry_word, __ATOMIC_RELAXED) != 0;
}

void might_sleep() {
  quarry::default_core().pages.reporter().check_context(__GFP_DIRECT_RECLAIM, QUARRY_PLACE);
}

int quarry_cond_resched() {
  quarry::yield();
  return 0;
}

unsigned int quarry_memalloc_save(unsigned int flag) { return quarry::memalloc_save(flag); }
void quarry_memalloc_restore(unsigned int flag, unsigned int saved) {
  quarry::memalloc_restore(flag, saved);
}
gfp_t current_gfp_context(gfp_t flags) {
  return static_cast<gfp_t>(quarry::current_gfp_context(quarry::Gfp(flags)));
}

void quarry_set_fail_nth(unsigned int n) { quarry::set_fail_nth(n); }
unsigned int quarry_fail_nth() { return quarry::fail_nth(); }
void quarry_set_make_it_fail(bool fail) { quarry::set_make_it_fail(fail); }
bool quarry_make_it_fail() { return quarry::make_it_fail(); }

}  // extern "C"
