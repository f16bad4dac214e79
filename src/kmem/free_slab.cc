// SPDX-License-Identifier: MIT

// The end of a slab: its pages go back, at once or when no reader of RCU can look at them any more.

#include "kmem/kmem.h"
#include "kmem/slab_frames.h"

namespace quarry {

namespace {

constexpr uintptr_t kSlabTag = kRcuFreeTags;
constexpr uintptr_t kEngineTag = kRcuFreeTags + 1;
static_assert(kEngineTag < kRcuTags);

}  // namespace

void Kmem::free_slab(const KmemCache& cache, Page& slab) {
  if ((cache.flags & QUARRY_SLAB_TYPESAFE_BY_RCU) == 0) return release_slab(slab);
  // The pages stay the cache's meanwhile; only the links of the first are used anew.
  rcu_->call_tagged(slab.rcu, kSlabTag);
}

void Kmem::call_engine_after_grace_period(RcuHead& head) { rcu_->call_tagged(head, kEngineTag); }

void Kmem::grace_period_over(RcuHead& head, uintptr_t tag) {
  if (tag == kEngineTag) return engine_->grace_period_over(head);
  static_assert(offsetof(Page, rcu) == 0);
  release_slab(reinterpret_cast<Page&>(head));
}

void Kmem::release_slab(Page& slab) {
  const Order order(slab.order);
  release_slab_frames(slab);
  pages_->free(&slab, order);
}

}  // namespace quarry
