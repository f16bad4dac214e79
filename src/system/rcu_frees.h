// SPDX-License-Identifier: MIT
#pragma once

#include "kmem/kmem.h"
#include "sync/rcu.h"
#include "vmalloc/vmalloc.h"

namespace quarry {

// What is freed when a grace period has passed, and by whom.
class RcuFrees final : public RcuReceiver {
 public:
  constexpr RcuFrees() = default;
  void init(Kmem& kmem, Vmalloc& vmalloc) {
    kmem_ = &kmem;
    vmalloc_ = &vmalloc;
  }

  void grace_period_over(RcuHead& head, uintptr_t tag) override {
    if (tag >= kRcuFreeTags) return kmem_->grace_period_over(head, tag);
    const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
    vmalloc_->kvfree(reinterpret_cast<char*>(&head) - tag, place);
  }

 private:
  Kmem* kmem_ = nullptr;
  Vmalloc* vmalloc_ = nullptr;
};

}  // namespace quarry
