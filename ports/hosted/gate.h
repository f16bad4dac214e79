// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

namespace quarry {

// Lets any number of threads through until somebody closes it; close() waits until all are out.
class Gate {
 public:
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate) { gate_.enter(); }
    ~Pass() { gate_.leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
  };

  // By one thread at a time, which is not inside.
  void close() {
    word_.fetch_or(kClosed, std::memory_order_relaxed);
    // Pairs with leave(): what those inside did is seen.
    while (word_.load(std::memory_order_acquire) != kClosed) sched_yield();
  }
  void open() { word_.fetch_and(~kClosed, std::memory_order_release); }  // pairs with enter()

 private:
  static constexpr uint32_t kClosed = uint32_t{1} << 31;

  void enter() {
    uint32_t inside = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((inside & kClosed) != 0) {
        sched_yield();
        inside = word_.load(std::memory_order_relaxed);
      } else if (word_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        return;
      }
    }
  }
  void leave() { word_.fetch_sub(1, std::memory_order_release); }

  std::atomic<uint32_t> word_{0};  // how many are inside, and kClosed
};

}  // namespace quarry
