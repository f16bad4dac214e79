// SPDX-License-Identifier: MIT
// Reads the bundled traces whole and compares what the tool counts with what an independent program
// counted: NAME.truth/check.json, made by traces/check.py.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fake_target.h"
#include "reading.h"
#include "replay.h"

namespace quarry::tool {
namespace {

class BundledTrace : public testing::TestWithParam<const char*> {};

uint64_t sum(const nlohmann::json& numbers) {
  uint64_t total = 0;
  for (const auto& number : numbers) total += number.get<uint64_t>();
  return total;
}

TEST_P(BundledTrace, counts_agree_with_check_json) {
  const std::string base = std::string("traces/") + GetParam();
  nlohmann::json check;
  std::ifstream(base + ".truth/check.json") >> check;

  FakeTarget::Record record;
  record.keep_calls = false;
  FakeTarget target(record);
  TraceSource source(base + ".kmt.zst");
  TraceReader reader(base, source);
  const RunResult run = Replay(reader, target).run({});

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
  EXPECT_EQ(linux_free_slot_bytes_at_start(base + ".kmt.zst"),
            check["linux_slab_pages"]["free_slots_bytes_before"].get<uint64_t>());
}

INSTANTIATE_TEST_SUITE_P(, BundledTrace, testing::Values("fs", "mix", "net", "proc"));

}  // namespace
}  // namespace quarry::tool
