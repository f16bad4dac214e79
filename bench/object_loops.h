// SPDX-License-Identifier: MIT
// The loops of one thread over small objects. Names and arguments are the same for every allocator:
//   hot_pair/SIZE, hot_pair_const/SIZE   allocate, use, free; the size opaque or known
//   batch_{fifo,lifo,random}/COUNT       allocate COUNT objects of 64 bytes, then free them
//   replace/LIVE                         free one of LIVE objects at random, allocate 8-1024 bytes
//   zeroed/SIZE                          the hot pair with zeroed memory
#pragma once

#include <string>
#include <utility>

#include "allocator.h"
#include "order.h"
#include "suite.h"

namespace quarry::bench {

inline constexpr std::size_t kBatchObjectBytes = 64;
using ClassSizes =
    std::index_sequence<8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192>;

template <Allocator A>
void hot_pair(benchmark::State& state) {
  volatile std::size_t bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* object = A::alloc(bytes);
    use(object);
    A::free(object);
  }
  count_pairs(state, 1);
}

template <Allocator A, std::size_t Bytes>
void hot_pair_const(benchmark::State& state) {
  for (auto _ : state) {
    void* object = A::template alloc_constant<Bytes>();
    use(object);
    A::free(object);
  }
  count_pairs(state, 1);
}

template <Allocator A>
void zeroed(benchmark::State& state) {
  volatile std::size_t bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* object = A::alloc_zeroed(bytes);
    use(object);
    A::free(object);
  }
  count_pairs(state, 1);
}

template <Allocator A, FreeOrder Order>
void batch(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint32_t> order = free_order(Order, count);
  std::vector<void*> objects(count);
  volatile std::size_t bytes = kBatchObjectBytes;
  for (auto _ : state) {
    for (void*& object : objects) {
      object = A::alloc(bytes);
      use(object);
    }
    for (std::uint32_t index : order) {
      A::free(objects[index]);
    }
  }
  count_pairs(state, state.range(0));
}

// One step of `replace`: index from the draw's upper half, size from 16 bits of the lower.
template <Allocator A>
void replace_one(std::vector<void*>& objects, std::uint64_t draw) {
  void*& slot = objects[Random::scale(draw, static_cast<std::uint32_t>(objects.size()))];
  A::free(slot);
  slot = A::alloc(8 + ((((draw >> 16) & 0xffff) * 1017) >> 16));
  use(slot);
}

template <Allocator A>
void replace(benchmark::State& state) {
  std::vector<void*> objects(static_cast<std::size_t>(state.range(0)));
  Random random(2);
  // Four rounds leave few empty slots and the mixed-up memory of a program that has run for long.
  for (std::size_t step = 0; step < 4 * objects.size(); ++step) {
    replace_one<A>(objects, random.next());
  }
  for (auto _ : state) {
    replace_one<A>(objects, random.next());
  }
  count_pairs(state, 1);
  for (void* object : objects) {
    A::free(object);
  }
}

template <Allocator A, std::size_t... Bytes>
void add_hot_pairs(Suite& suite, std::index_sequence<Bytes...>) {
  (suite.add("hot_pair", hot_pair<A>, {static_cast<std::int64_t>(Bytes)}), ...);
  (suite.add("hot_pair_const/" + std::to_string(Bytes), hot_pair_const<A, Bytes>), ...);
}

template <Allocator A>
void add_object_loops(Suite& suite) {
  add_hot_pairs<A>(suite, ClassSizes{});
  suite.add("batch_fifo", batch<A, FreeOrder::kFifo>, {1000, 100000});
  suite.add("batch_lifo", batch<A, FreeOrder::kLifo>, {1000, 100000});
  suite.add("batch_random", batch<A, FreeOrder::kRandom>, {1000, 100000});
  suite.add("replace", replace<A>, {1000, 100000});
  suite.add("zeroed", zeroed<A>, {64, 4096});
}

}  // namespace quarry::bench
