// SPDX-License-Identifier: MIT
// Nothing but allocations and frees of one cache on several CPUs, as fast as they go, while the
// cache is emptied all the time: an operation on an array is always under way.
#include <thread>

#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::KmemCache;
namespace gfp = quarry::gfp;

#ifdef __SANITIZE_THREAD__
constexpr int kRounds = 20'000;
#else
constexpr int kRounds = 400'000;
#endif
constexpr unsigned kThreads = 3;
constexpr size_t kHeld = 5;

// In each object: whose it is, or nobody's. The constructor makes it so, and it survives a free.
using Owner = std::atomic<uint32_t>;
void belong_to_nobody(void* object) { new (object) Owner(0); }

void hammer(Machine& m, KmemCache* cache, uint32_t self, std::atomic<uint64_t>& mistakes) {
  for (int round = 0; round != kRounds; ++round) {
    Owner* held[kHeld];
    for (Owner*& object : held) {
      object = static_cast<Owner*>(m->cache_alloc(cache, gfp::kKernel));
      if (object == nullptr || object->exchange(self, std::memory_order_relaxed) != 0) ++mistakes;
    }
    for (Owner* object : held) {
      if (object->exchange(0, std::memory_order_relaxed) != self) ++mistakes;
      m->cache_free(cache, object);
    }
  }
}

void run(CpuKind kind) {
  Machine m{.cpus = 0, .cpu_kind = kind};
  KmemCache* cache = m->cache_create("hammered", 40, {.ctor = belong_to_nobody});
  REQUIRE(cache != nullptr);
  std::atomic<uint64_t> mistakes{0};
  std::atomic<unsigned> running{kThreads};
  std::thread threads[kThreads];
  for (uint32_t i = 0; i != kThreads; ++i) {
    threads[i] = std::thread([&, i] {
      hammer(m, cache, i + 1, mistakes);
      --running;
    });
  }
  while (running != 0) m->cache_shrink(cache);
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(mistakes.load(), 0U);
  m->cache_destroy(cache);
}

QUARRY_TEST(Hammer, lockless_arrays) { run(CpuKind::kLockless); }
QUARRY_TEST(Hammer, locked_arrays) { run(CpuKind::kLocked); }

}  // namespace
