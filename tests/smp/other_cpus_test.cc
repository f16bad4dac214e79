// SPDX-License-Identifier: MIT
// What threads left in the arrays of CPUs that run something else by now.
#include <sched.h>

#include <thread>

#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::KmemCache;
using quarry::MemorySystem;
namespace gfp = quarry::gfp;

constexpr size_t kObjects = 100;

// Runs `body` once on each CPU that we may use; how many these are.
template <class Body>
unsigned on_each_cpu(Body&& body) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (unsigned cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::thread([&] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      sched_setaffinity(0, sizeof one, &one);
      body();
    }).join();
  }
  return static_cast<unsigned>(CPU_COUNT(&allowed));
}

void use(MemorySystem& system, KmemCache* cache) {
  void* objects[kObjects];
  for (void*& object : objects) object = system.cache_alloc(cache, gfp::kKernel);
  for (void* object : objects) system.cache_free(cache, object);
}

void shrink_and_destroy(CpuKind kind) {
  Machine m{.cpus = 0, .cpu_kind = kind};
  KmemCache* cache = m->cache_create("left", 128);
  REQUIRE(cache != nullptr);
  for (int round = 0; round != 3; ++round) {
    const unsigned cpus = on_each_cpu([&] { use(m.system, cache); });
    const quarry::CacheInfo info = MemorySystem::cache_info(*cache);
    // Every CPU keeps some: they had them when they ended.
    CHECK(info.cached_objects >= cpus * info.array_capacity / 4);
    CHECK(m->cache_shrink(cache));
    CHECK_EQ(MemorySystem::cache_info(*cache).total_objects, 0U);
  }
  on_each_cpu([&] { use(m.system, cache); });
  m->cache_destroy(cache);  // no report
}

QUARRY_TEST(OtherCpus, lose_what_they_kept_lockless) { shrink_and_destroy(CpuKind::kLockless); }
QUARRY_TEST(OtherCpus, lose_what_they_kept_locked) { shrink_and_destroy(CpuKind::kLocked); }

// While fault injection is on, arrays give nothing and take nothing; afterwards they do again.
void fault_injection(CpuKind kind) {
  Machine m{.cpus = 0, .cpu_kind = kind};
  KmemCache* cache = m->cache_create("failing", 128);
  REQUIRE(cache != nullptr);
  on_each_cpu([&] { use(m.system, cache); });
  const uint64_t kept = MemorySystem::cache_info(*cache).cached_objects;
  m.core().kmem.set_fault_parameters({.probability = 100, .times = -1, .ignore_gfp_wait = false});
  on_each_cpu([&] { CHECK(m->cache_alloc(cache, gfp::kKernel | gfp::kNoWarn) == nullptr); });
  CHECK_EQ(MemorySystem::cache_info(*cache).cached_objects, kept);
  m.core().kmem.set_fault_parameters({});
  on_each_cpu([&] { use(m.system, cache); });
  m->cache_destroy(cache);
}

QUARRY_TEST(OtherCpus, fail_with_full_arrays_lockless) { fault_injection(CpuKind::kLockless); }
QUARRY_TEST(OtherCpus, fail_with_full_arrays_locked) { fault_injection(CpuKind::kLocked); }

}  // namespace
