// SPDX-License-Identifier: MIT

// <linux/rcupdate.h>

#include <linux/rcupdate.h>

#include "default_system.h"

namespace quarry {

extern "C" {

void rcu_read_lock() { default_core().rcu.read_lock(QUARRY_SECTION_ENTRY); }
void rcu_read_unlock() { default_core().rcu.read_unlock(QUARRY_PLACE); }
int rcu_read_lock_held() { return Arch::context().rcu_depth != 0; }

void call_rcu(struct rcu_head* head, rcu_callback_t func) { default_core().rcu.call(*head, func); }
void synchronize_rcu() { default_core().rcu.synchronize(QUARRY_PLACE); }
void rcu_barrier() { default_core().rcu.barrier(QUARRY_PLACE); }

void quarry_kvfree_rcu(struct rcu_head* head, const void* memory) {
  default_system.kvfree_deferred(head, memory);
}
void kvfree_rcu_mightsleep(const void* memory) { default_system.kvfree_deferred(memory); }

}  // extern "C"

}  // namespace quarry
