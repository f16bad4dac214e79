// SPDX-License-Identifier: MIT
// The loops of two threads, each thread pinned to a CPU of its own where the process may use two:
//   other_thread/SIZE   this thread allocates, the other frees; per object
//   threads_swap/SIZE   both put their object into a shared random slot and free what was there;
//                       per pair of one thread
// Both are wall time, and noisy on a busy machine.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "allocator.h"
#include "cpu.h"
#include "suite.h"

namespace quarry::bench {

inline constexpr std::size_t kCacheLine = 64;

// A single-producer, single-consumer ring of batches. Each counter is written by one side only and
// stands on a cache line of its own.
class BatchRing {
 public:
  static constexpr std::size_t kBatch = 256;
  using Batch = std::array<void*, kBatch>;

  // Producer: the next batch to fill, once the consumer has left it.
  Batch& wait_empty() {
    const std::uint64_t filled = filled_.load(std::memory_order_relaxed);
    // Acquire pairs with pop(): the consumer has read the slots.
    spin_until([&] { return filled - emptied_.load(std::memory_order_acquire) < kBatches; });
    return batches_[filled % kBatches];
  }
  void push() { filled_.fetch_add(1, std::memory_order_release); }
  void close() { closed_.store(true, std::memory_order_release); }

  // Consumer: the next full batch, or null when the ring is closed and empty.
  Batch* wait_full() {
    const std::uint64_t emptied = emptied_.load(std::memory_order_relaxed);
    // Acquire pairs with push() and close(): the slots are written, and nothing follows a close.
    spin_until([&] { return has_batch(emptied) || closed_.load(std::memory_order_acquire); });
    return has_batch(emptied) ? &batches_[emptied % kBatches] : nullptr;
  }
  void pop() { emptied_.fetch_add(1, std::memory_order_release); }

 private:
  static constexpr std::size_t kBatches = 16;

  bool has_batch(std::uint64_t emptied) const {
    return filled_.load(std::memory_order_acquire) != emptied;
  }

  alignas(kCacheLine) std::atomic<std::uint64_t> filled_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> emptied_{0};
  alignas(kCacheLine) std::atomic<bool> closed_{false};
  alignas(kCacheLine) std::array<Batch, kBatches> batches_{};
};

template <Allocator A>
void other_thread(benchmark::State& state) {
  const auto ring = std::make_unique<BatchRing>();
  volatile std::size_t bytes = static_cast<std::size_t>(state.range(0));
  pin_to_cpu(0);
  std::thread consumer([&ring] {
    pin_to_cpu(1);
    while (BatchRing::Batch* full = ring->wait_full()) {
      for (void* object : *full) {
        A::free(object);
      }
      ring->pop();
    }
  });
  for (auto _ : state) {
    for (void*& object : ring->wait_empty()) {
      object = A::alloc(bytes);
      use(object);
    }
    ring->push();
  }
  ring->close();
  consumer.join();
  count_pairs(state, BatchRing::kBatch);
}

inline constexpr std::uint32_t kSharedSlots = 1024;
using SharedSlots = std::array<std::atomic<void*>, kSharedSlots>;

template <Allocator A>
void swap_one(SharedSlots& slots, Random& random, std::size_t bytes) {
  void* object = A::alloc(bytes);
  use(object);
  // Acquire and release: the other thread's write to the object comes before our free of it.
  A::free(slots[random.below(kSharedSlots)].exchange(object, std::memory_order_acq_rel));
}

template <Allocator A>
void threads_swap(benchmark::State& state) {
  const auto slots = std::make_unique<SharedSlots>();
  volatile std::size_t bytes = static_cast<std::size_t>(state.range(0));
  std::atomic<bool> stop{false};
  pin_to_cpu(0);
  std::thread partner([&] {
    pin_to_cpu(1);
    for (Random random(3); !stop.load(std::memory_order_relaxed);) {
      swap_one<A>(*slots, random, bytes);
    }
  });
  Random random(4);
  for (auto _ : state) {
    swap_one<A>(*slots, random, bytes);
  }
  stop.store(true, std::memory_order_relaxed);
  partner.join();
  count_pairs(state, 1);
  for (std::atomic<void*>& slot : *slots) {
    A::free(slot.load(std::memory_order_relaxed));
  }
}

// Register these last: a process that has ever had a second thread takes slower paths in some
// mallocs.
template <Allocator A>
void add_thread_loops(Suite& suite) {
  suite.add("other_thread", other_thread<A>, {64})->UseRealTime();
  suite.add("threads_swap", threads_swap<A>, {64})->UseRealTime();
}

}  // namespace quarry::bench
