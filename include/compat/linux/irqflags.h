/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>

QUARRY_DECLARATIONS_BEGIN

bool irqs_disabled(void);
void local_irq_disable(void);
/* On, however often they were disabled. */
void local_irq_enable(void);
unsigned long quarry_local_irq_save(void);
void local_irq_restore(unsigned long flags);

QUARRY_DECLARATIONS_END

/* `flags` is a variable, unsigned long. */
#define local_irq_save(flags) ((void)((flags) = quarry_local_irq_save()))
#define local_save_flags(flags) ((void)((flags) = irqs_disabled()))
