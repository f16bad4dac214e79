// SPDX-License-Identifier: MIT
// Nothing but allocations and frees of one cache on several CPUs, as fast as they go, while the
// cache is emptied all the time, or its arrays get other sizes: an operation on an array is always
// under way.
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
constexpr size_t kHeld = 5;  // at a time, and in every other round as many as arrays hold
constexpr size_t kMostHeld = 130;

// In each object: whose it is, or nobody's. The constructor makes it so, and it survives a free.
using Owner = std::atomic<uint32_t>;
void belong_to_nobody(void* object) { new (object) Owner(0); }

void hammer(Machine& m, KmemCache* cache, uint32_t self, std::atomic<uint64_t>& mistakes) {
  for (int round = 0; round != kRounds; ++round) {
    Owner* all[kMostHeld];
    const std::span<Owner*> held(all, round % 64 == 0 ? kMostHeld : kHeld);
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

void shrink(Machine& m, KmemCache* cache, unsigned) { m->cache_shrink(cache); }

// From none to all that there is room for.
void resize(Machine& m, KmemCache* cache, unsigned turn) {
  constexpr unsigned kCapacities[] = {126, 1, 40, 0, 5, 72};
  const unsigned capacity = kCapacities[turn % std::size(kCapacities)];
  quarry::FixedText<32> text;
  quarry::FileWrite result{};
  if (m->slab_engine() == quarry::SlabEngineKind::kSlab) {
    const unsigned limit = capacity == 0 ? 2 : capacity;
    format(text, "hammered %u %u %u", limit, limit / 2 + 1, turn % 4);
    result = m->write_slabinfo({text.c_str(), text.size()});
  } else {
    format(text, "%u", capacity);
    result = m->write_cache_attribute(cache, "cpu_partial", {text.c_str(), text.size()});
    quarry::FixedText<256> shown;
    m->cache_attribute(cache, "slabs_cpu_partial", shown);
    m->cache_attribute(cache, "objects_partial", shown);
  }
  CHECK_EQ(result, quarry::FileWrite::kDone);
}

void run(CpuKind kind, void (*disturb)(Machine& m, KmemCache* cache, unsigned turn)) {
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
  for (unsigned turn = 0; running != 0; ++turn) disturb(m, cache, turn);
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(mistakes.load(), 0U);
  CHECK(m.sound());
  m->cache_destroy(cache);
}

QUARRY_TEST(Hammer, lockless_arrays) { run(CpuKind::kLockless, shrink); }
QUARRY_TEST(Hammer, locked_arrays) { run(CpuKind::kLocked, shrink); }
QUARRY_TEST(Hammer, lockless_arrays_that_change_their_size) { run(CpuKind::kLockless, resize); }
QUARRY_TEST(Hammer, locked_arrays_that_change_their_size) { run(CpuKind::kLocked, resize); }

}  // namespace
