// SPDX-License-Identifier: MIT
// A replay on the CPUs of the host, whose arrays take no lock, lays out what simulated CPUs with
// locked arrays do. A bare machine is like the former; this shows that the two ways agree.
#include <gtest/gtest.h>
#include <quarry/hosted_platform.h>
#include <sched.h>

#include <vector>

#include "replay/player.h"
#include "replay/system_target.h"
#include "trace_input.h"
#include "trace_source.h"

namespace quarry::tool {
namespace {

constexpr const char* kTrace = "traces/net.kmt.zst";

// CPUs of the host that this thread may run on.
std::vector<unsigned> usable_cpus() {
  cpu_set_t set;
  std::vector<unsigned> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (unsigned cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void run_thread_on(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ASSERT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

// A machine of the host's CPUs, real or simulated; the trace's CPU i is the i-th usable one.
class HostCpus {
 public:
  HostCpus(bool simulated, unsigned cpus) : simulated_(simulated), usable_(usable_cpus()) {
    EXPECT_TRUE(
        platform_.open({.ram_bytes = uint64_t{1} << 30, .cpus = cpus, .simulated = simulated}))
        << platform_.error();
    EXPECT_TRUE(system_.boot(platform_, {}));
  }
  ~HostCpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const unsigned cpu : usable_) CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
  }

  unsigned usable() const { return static_cast<unsigned>(usable_.size()); }
  const HostedPlatform& platform() const { return platform_; }

  uint64_t layout_hash() {
    TraceSource source(kTrace);
    const auto input = open_trace(kTrace, source);
    std::vector<uint64_t> slots(replay::Player::table_bytes(input->tables()) / sizeof(uint64_t));
    replay::SystemTarget target(system_, {.go_to = go_to, .context = this});
    replay::Player player(input->tables(), *input, target, nullptr, slots.data());
    while (player.more()) player.play_turn(UINT64_MAX);
    target.rest();
    EXPECT_TRUE(player.finish()) << player.error();
    EXPECT_EQ(player.counts().failed_allocations(), 0U);
    FixedText<1024> problem;
    EXPECT_TRUE(system_.validate(problem)) << problem.c_str();
    return player.layout_hash();
  }

 private:
  static void go_to(void* context, CpuId cpu) {
    auto& self = *static_cast<HostCpus*>(context);
    const unsigned host_cpu = self.usable_[cpu.value()];
    if (self.simulated_) return self.platform_.set_current_cpu(CpuId{host_cpu});
    if (host_cpu == self.running_on_) return;
    run_thread_on(host_cpu);
    self.running_on_ = host_cpu;
  }

  bool simulated_;
  unsigned running_on_ = ~0U;
  std::vector<unsigned> usable_;
  HostedPlatform platform_;
  MemorySystem system_;
};

TEST(RealCpus, lay_out_what_simulated_ones_do) {
  HostCpus real(/*simulated=*/false, 0);
  if (real.usable() < 2) GTEST_SKIP() << "the trace needs two CPUs";
  if (!real.platform().has_lockless_arrays()) GTEST_SKIP() << "the host has no lockless arrays";
  HostCpus simulated(/*simulated=*/true, real.platform().cpu_count());
  EXPECT_EQ(real.layout_hash(), simulated.layout_hash());
}

}  // namespace
}  // namespace quarry::tool
