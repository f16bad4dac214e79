// SPDX-License-Identifier: MIT
// Replays the bundled traces and compares what the tool counts with what an independent program
// counted: NAME.truth/check.json, made by traces/check.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "linux_footprint.h"
#include "replay.h"
#include "simulated_machine.h"
#include "trace_source.h"

namespace quarry::tool {
namespace {

struct Bundled {
  const char* name;
  // Most slab memory at its peak over the live objects at theirs.
  double slab_over_live;
};

void PrintTo(const Bundled& trace, std::ostream* out) { *out << trace.name; }

uint64_t sum(const nlohmann::json& numbers) {
  uint64_t total = 0;
  for (const auto& number : numbers) total += number.get<uint64_t>();
  return total;
}

class BundledTrace : public testing::TestWithParam<Bundled> {
 protected:
  std::string path() const { return fmt::format("traces/{}.kmt.zst", GetParam().name); }

  nlohmann::json check() const {
    nlohmann::json json;
    std::ifstream(fmt::format("traces/{}.truth/check.json", GetParam().name)) >> json;
    return json;
  }

  RunResult replay(const MachineSpec& spec) const {
    const std::unique_ptr<ReplayMachine> machine = make_simulated_machine(spec);
    TraceSource source(path());
    return Replay(*open_trace(path(), source), *machine).run({});
  }
};

MachineSpec small_machine() {
  MachineSpec spec;
  spec.cpus = 2;
  spec.ram_bytes = uint64_t{2} << 30;
  return spec;
}

TEST_P(BundledTrace, runs_through_and_repeats_itself) {
  const RunResult run = replay(small_machine());
  EXPECT_EQ(run.validate, "ok");
  EXPECT_EQ(run.failed_allocations(), 0U);
  EXPECT_EQ(run.report, "");
  EXPECT_LE(static_cast<double>(run.peak_slab_pages * kPageBytes),
            GetParam().slab_over_live * static_cast<double>(run.live.slab.peak));
  EXPECT_EQ(run.layout_hash, replay(small_machine()).layout_hash);
}

TEST_P(BundledTrace, runs_through_on_several_nodes) {
  MachineSpec spec = small_machine();
  spec.nodes = 2;
  spec.cpus = 4;
  const RunResult run = replay(spec);
  EXPECT_EQ(run.validate, "ok");
  EXPECT_EQ(run.failed_allocations(), 0U);
  EXPECT_EQ(run.report, "");
}

TEST_P(BundledTrace, goes_on_where_memory_runs_out) {
  MachineSpec spec = small_machine();
  spec.ram_bytes = uint64_t{32} << 20;
  const RunResult run = replay(spec);
  EXPECT_EQ(run.validate, "ok");
  EXPECT_GT(run.failed_allocations(), 0U);
}

TEST_P(BundledTrace, counts_agree_with_check_json) {
  const nlohmann::json check = this->check();
  const RunResult run = replay(small_machine());

  EXPECT_EQ(run.events, check["events"]);
  constexpr const char* kLetters = "kKcCopPqhvVuaAx#";
  for (size_t op = 0; op < kOpCount; ++op) {
    EXPECT_EQ(run.events_by_op[op], check["ops"].value(std::string(1, kLetters[op]), 0)) << op;
  }
  for (size_t context = 0; context < kContextCount; ++context) {
    EXPECT_EQ(run.events_by_context[context],
              check["context"].value(std::string(1, "tshn"[context]), 0));
  }
  EXPECT_EQ(static_cast<double>(run.duration_ns) / 1e9, check["duration_s"]);

  EXPECT_EQ(run.live.objects.peak, check["peak_live_objects"]);
  EXPECT_EQ(run.live.slab.peak, check["peak_live_slab_bytes_alloc"]);
  EXPECT_EQ(run.live.requested.peak, check["live_req_bytes_at_that_peak"]);
  EXPECT_EQ(run.live.large.peak, check["peak_large_kmalloc_bytes"]);
  EXPECT_EQ(run.live.objects.now, check["live_end"]["obj"]);
  EXPECT_EQ(run.blocks.live + run.backing.live, check["live_end"]["page"]);
  EXPECT_EQ(run.vmalloc.live + run.ranges.live, check["live_end"]["vmap"]);
  EXPECT_EQ(run.percpu.live, check["live_end"]["percpu"]);

  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageSlab).peak, check["slab_pages_in_trace_peak"]);
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageSlab).now, check["slab_pages_in_trace_end"]);
  const auto& by_class = check["peak_live_pages_by_class"];
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageUser).peak, by_class.value("u", 0));
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageLargeKmalloc).peak, by_class.value("l", 0));
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageVmalloc).peak, by_class.value("v", 0));
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPagePercpu).peak, by_class.value("c", 0));

  EXPECT_EQ(run.percpu_bytes.peak, check["percpu"]["peak_bytes"]);
  EXPECT_EQ(run.unmatched.total(), sum(check["unknown_frees"]));
  EXPECT_EQ(run.unmatched.dead_slots, 0U);
  EXPECT_EQ(linux_free_slot_bytes_at_start(path()),
            check["linux_slab_pages"]["free_slots_bytes_before"].get<uint64_t>());
}

INSTANTIATE_TEST_SUITE_P(, BundledTrace,
                         testing::Values(Bundled{"fs", 1.06}, Bundled{"mix", 1.15},
                                         Bundled{"net", 1.40}, Bundled{"proc", 1.45}),
                         [](const auto& trace) { return trace.param.name; });

}  // namespace
}  // namespace quarry::tool
