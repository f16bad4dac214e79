// SPDX-License-Identifier: MIT
// Readers on other CPUs and in interrupts; grace periods by idle CPUs, by whoever waits, and by the
// program.
#include "quarry/rcu.h"

#include "harness.h"
#include "kernel.h"
#include "x86/clock.h"
#include "x86/smp.h"

namespace {

using namespace quarry;

constexpr CacheOptions kTypesafe{.flags = QUARRY_SLAB_TYPESAFE_BY_RCU};

struct Call {
  RcuHead head{};
  std::atomic<unsigned> runs{0};
};
void count_run(RcuHead* head) {
  reinterpret_cast<Call*>(head)->runs.fetch_add(1, std::memory_order_release);
}

bool comes(const std::atomic<unsigned>& number, unsigned wanted, unsigned most_ms) {
  const uint64_t start = clock_ns();
  while (number.load(std::memory_order_acquire) != wanted) {
    if (clock_ns() - start > uint64_t{most_ms} * 1'000'000) return false;
    Arch::relax(0);
  }
  return true;
}

// On one CPU only the program can do it.
QUARRY_TEST(Rcu, whoever_waits_steps) {
  boot::Balanced balanced;
  Call call;
  boot::system().call_rcu(&call.head, count_run);
  boot::system().synchronize_rcu();
  boot::system().rcu_barrier();
  CHECK_EQ(call.runs.load(), 1U);
  {
    const RcuReadGuard reader(boot::system());
    boot::system().call_rcu(&call.head, count_run);
    CHECK(boot::system().step() != BackgroundWork::kNever);
    CHECK_EQ(call.runs.load(), 1U);
  }
  CHECK(comes(call.runs, 2, 5) || boot::system().step() == BackgroundWork::kNever);
  boot::system().rcu_barrier();
  CHECK_EQ(call.runs.load(), 2U);
}

QUARRY_TEST(Rcu, a_reader_keeps_a_slab) {
  boot::Balanced balanced;
  KmemCache* cache = boot::system().cache_create("typesafe", 512, kTypesafe);
  REQUIRE(cache != nullptr);
  auto* object = static_cast<unsigned char*>(boot::system().cache_alloc(cache, gfp::kKernel));
  REQUIRE(object != nullptr);
  __builtin_memset(object, 0x44, 512);
  {
    const RcuReadGuard reader(boot::system());
    boot::system().cache_free(cache, object);
    boot::system().cache_shrink(cache);
    boot::system().step();
    CHECK(boot::system().cache_of(object) == cache);
    CHECK_EQ(object[0] & object[511], 0x44);
  }
  boot::system().rcu_barrier();
  CHECK(boot::system().cache_of(object) == nullptr);
  boot::system().cache_destroy(cache);
}

// A CPU that has nothing to do.
QUARRY_TEST(RcuCpus, idle_cpus_step) {
  REQUIRE(boot::platform().cpu_count() > 1);
  Call call;
  for (unsigned round = 1; round <= 10; ++round) {
    boot::system().call_rcu(&call.head, count_run);
    CHECK(comes(call.runs, round, 5000));
  }
}

struct Reader {
  std::atomic<unsigned> inside{0};
  std::atomic<bool> stop{false};
  const unsigned char* seen = nullptr;
  unsigned sum = 0;
};

void read(void* context) {
  auto& self = *static_cast<Reader*>(context);
  const RcuReadGuard guard(boot::system());
  self.inside.store(1, std::memory_order_release);
  while (!self.stop.load(std::memory_order_acquire)) Arch::relax(0);
  for (unsigned i = 0; i != 512; ++i) self.sum += self.seen[i];
}

QUARRY_TEST(RcuCpus, a_reader_on_another_cpu_is_waited_for) {
  REQUIRE(boot::platform().cpu_count() > 2);
  boot::Balanced balanced;
  auto* memory = static_cast<unsigned char*>(boot::system().kmalloc(512, gfp::kKernel));
  REQUIRE(memory != nullptr);
  __builtin_memset(memory, 1, 512);
  Reader reader{.seen = memory};
  run_on(CpuId(1), read, &reader);
  CHECK(comes(reader.inside, 1, 5000));
  Call call;
  boot::system().call_rcu(&call.head, count_run);
  CHECK(!comes(call.runs, 1, 20));
  // The reader goes on when somebody waits for it already.
  run_on(
      CpuId(2),
      [](void* context) {
        const uint64_t start = clock_ns();
        while (clock_ns() - start < 10'000'000) Arch::relax(0);
        static_cast<Reader*>(context)->stop.store(true, std::memory_order_release);
      },
      &reader);
  boot::system().synchronize_rcu();
  __builtin_memset(memory, 0xff, 512);
  boot::system().kfree(memory);
  for (const unsigned cpu : {1U, 2U}) wait_for(CpuId(cpu));
  CHECK_EQ(reader.sum, 512U);
  boot::system().rcu_barrier();
  CHECK_EQ(call.runs.load(), 1U);
}

}  // namespace
