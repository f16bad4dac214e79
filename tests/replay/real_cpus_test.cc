// SPDX-License-Identifier: MIT
// A replay on the CPUs of the host, whose arrays take no lock, lays out what simulated CPUs with
// locked arrays do. A bare machine is like the former; this shows that the two ways agree.
#include <gtest/gtest.h>
#include <quarry/hosted_platform.h>
#include <sched.h>

#include <string>
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

// A trace played on a machine of the host's CPUs, real or simulated; the trace's CPU i is the i-th
// that can be used.
class Playing {
 public:
  // `usable`: CPUs of the host that this thread could run on when the test began.
  Playing(bool simulated, unsigned cpus, std::vector<unsigned> usable)
      : simulated_(simulated), usable_(std::move(usable)) {
    EXPECT_TRUE(
        platform_.open({.ram_bytes = uint64_t{1} << 30, .cpus = cpus, .simulated = simulated}))
        << platform_.error();
    go_to(this, CpuId{0});  // what boots allocates too
    EXPECT_TRUE(system_.boot(platform_, {.steps_by_caller = true, .merge_caches = false}));
  }
  const HostedPlatform& platform() const { return platform_; }
  replay::Player& player() { return player_; }
  // Leaves nothing of the CPU's context on this thread.
  void play_one_event() {
    player_.play_turn(1);
    target_.rest();
  }
  std::string validate() {
    FixedText<1024> problem;
    return system_.validate(problem) ? "" : problem.c_str();
  }

 private:
  static void go_to(void* context, CpuId cpu) {
    auto& self = *static_cast<Playing*>(context);
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
  TraceSource source_{kTrace};
  std::unique_ptr<TraceInput> input_ = open_trace(kTrace, source_);
  std::vector<uint64_t> slots_ =
      std::vector<uint64_t>(replay::Player::table_bytes(input_->tables()) / sizeof(uint64_t));
  replay::SystemTarget target_{system_, {.go_to = go_to, .context = this}};
  replay::Player player_{input_->tables(), *input_, target_, nullptr, slots_.data()};
};

TEST(RealCpus, lay_out_what_simulated_ones_do) {
  const std::vector<unsigned> usable = usable_cpus();
  if (usable.size() < 2) GTEST_SKIP() << "the trace needs two CPUs";
  Playing real(/*simulated=*/false, 0, usable);
  if (!real.platform().has_lockless_arrays()) GTEST_SKIP() << "the host has no lockless arrays";
  Playing simulated(/*simulated=*/true, real.platform().cpu_count(), usable);
  // All on one thread: what CPU it stands for is the machine's own business.
  for (uint64_t event = 0; real.player().more(); ++event) {
    real.play_one_event();
    simulated.play_one_event();
    ASSERT_EQ(real.player().layout_hash(), simulated.player().layout_hash()) << "event " << event;
  }
  EXPECT_FALSE(simulated.player().more());
  EXPECT_EQ(real.player().counts().failed_allocations(), 0U);
  EXPECT_EQ(real.validate(), "");
  EXPECT_TRUE(real.player().finish() && simulated.player().finish());
  EXPECT_EQ(real.player().layout_hash(), simulated.player().layout_hash());
}

}  // namespace
}  // namespace quarry::tool
