// SPDX-License-Identifier: MIT
// What a loop needs of an allocator, and what all loops share. The same loop text is compiled once
// over kmalloc and once over malloc, so that a ratio compares allocators and nothing else.
#pragma once

#include <benchmark/benchmark.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace quarry::bench {

// A stateless policy. alloc_constant<N>() is alloc(N) with N visible to the compiler; each returns
// null when memory is out; free() takes what any of the three returned, and null.
template <class A>
concept Allocator = requires(std::size_t bytes, void* object) {
  { A::alloc(bytes) } -> std::same_as<void*>;
  { A::template alloc_constant<64>() } -> std::same_as<void*>;
  { A::alloc_zeroed(bytes) } -> std::same_as<void*>;
  { A::free(object) } -> std::same_as<void>;
};

// Uses an object as its owner would: checks for null and writes the first word. The volatile store
// keeps the compiler from dropping the pair.
inline void use(void* object) {
  if (object == nullptr) [[unlikely]] {
    std::abort();
  }
  *static_cast<volatile std::uint64_t*>(object) = 1;
}

// Called after the timed loop. `per_iteration` is how many objects (or pages, or ranges) one
// iteration allocated and freed; run.py divides by it.
inline void count_pairs(benchmark::State& state, std::int64_t per_iteration) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * per_iteration);
  state.counters["per_iteration"] = static_cast<double>(per_iteration);
}

// Knuth's MMIX generator: one multiplication a draw and no table, so it disturbs no cache.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_;
  }
  // Uniform in [0, limit).
  std::uint32_t below(std::uint32_t limit) { return scale(next(), limit); }
  // The upper half of a draw, scaled to [0, limit).
  static std::uint32_t scale(std::uint64_t draw, std::uint32_t limit) {
    return static_cast<std::uint32_t>(((draw >> 32) * limit) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace quarry::bench
