// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_machine.h"
#include "json_report.h"
#include "reading.h"
#include "replay.h"
#include "small_trace.h"
#include "text_report.h"

namespace quarry::tool {
namespace {

using testing::HasSubstr;

RunResult example() {
  SmallTrace trace{.events = {"1000 0t x o 0 -1 p"},
                   .more_header = {"cache 2 " + std::string(80, 'n') + " 8 8 8 0 1 0 0 0 -"}};
  for (int i = 0; i < 6; ++i) trace.events.push_back(fmt::format("0 0t k {} 0 0 5000 8192", i));
  trace.events.insert(trace.events.end(), {"0 0t c 6 0 0 2", "0 0t p 0 2 0 3 0 8", "0 0t K 0 0"});
  FakeMachine::Record record;
  OpenTrace opened(trace.text());
  FakeMachine machine(record);
  RunResult run = Replay(*opened.input, machine).run({});
  run.trace = "folder/example.kmt.zst";
  run.name = "example";
  run.machine.cpus = 2;
  run.layout_hash = 0xabc;
  run.ns_per_event = 98.4;
  run.linux_free_slot_bytes_at_start = 4096;
  return run;
}

TEST(JsonReportTest, has_stable_names) {
  const RunResult run = example();
  const auto json = nlohmann::json::parse(json_report({&run, 1}));
  ASSERT_EQ(json["runs"].size(), 1U);
  const auto& object = json["runs"][0];
  EXPECT_EQ(object["trace"], "folder/example.kmt.zst");
  EXPECT_EQ(object["engine"], "slub");
  EXPECT_EQ(object["events"], 10);
  EXPECT_EQ(object["events_by_kind"]["kmalloc"], 6);
  EXPECT_EQ(object["events_by_kind"]["unknown_free"], 1);
  EXPECT_EQ(object["unmatched_frees"], 1);
  EXPECT_EQ(object["failed_allocations"], 0);
  EXPECT_EQ(object["peak_requested_bytes"], 30008);
  EXPECT_EQ(object["peak_slab_bytes"], 13 * 4096);
  EXPECT_EQ(object["live_slab_bytes_at_peak"], 6 * 8192 + 8);
  EXPECT_EQ(object["end_slab_bytes"], 11 * 4096);
  EXPECT_EQ(object["linux_net_peak_slab_bytes"], 8 * 4096);
  EXPECT_EQ(object["linux_free_slot_bytes_at_start"], 4096);
  EXPECT_EQ(object["array_capacity"]["kmalloc-any"], 60);
  EXPECT_EQ(object["ns_per_event"], 98.4);
  EXPECT_EQ(object["layout_hash"], "0000000000000abc");
  EXPECT_EQ(object["validate"], "ok");
  EXPECT_EQ(object["arrays"]["hit_rate"], 0.9);
  EXPECT_EQ(object["machine"]["cpus"], 2);
}

TEST(JsonReportTest, unknown_truth_is_null) {
  RunResult run = example();
  run.linux_free_slot_bytes_at_start.reset();
  const auto json = nlohmann::json::parse(json_report({&run, 1}));
  EXPECT_TRUE(json["runs"][0]["linux_free_slot_bytes_at_start"].is_null());
}

TEST(JsonReportTest, survives_a_title_that_is_no_text) {
  RunResult run = example();
  run.title = "\xff\xfe";
  EXPECT_FALSE(nlohmann::json::parse(json_report({&run, 1}), nullptr, false).is_discarded());
}

TEST(JsonReportTest, of_no_runs_is_an_empty_list) {
  EXPECT_EQ(nlohmann::json::parse(json_report({}))["runs"], nlohmann::json::array());
}

void expect_narrow(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << '"' << line << '"';
  }
}

TEST(TextReportTest, shows_quarry_beside_linux) {
  const std::string text = text_report(example());
  EXPECT_THAT(text, HasSubstr("a small trace"));
  EXPECT_THAT(text, HasSubstr("validate: ok"));
  EXPECT_THAT(text, HasSubstr("0000000000000abc"));
  EXPECT_THAT(text, testing::ContainsRegex("slab pages at peak +52 KiB +32 KiB"));
  EXPECT_THAT(text, testing::ContainsRegex("free slots when the trace began +0 B +4 KiB"));
  EXPECT_THAT(text, HasSubstr("Node 0, zone   Normal      5      0      2"));
  EXPECT_THAT(text, HasSubstr("90.0 %"));
}

TEST(TextReportTest, fits_a_terminal) {
  RunResult run = example();
  run.title = std::string(300, 't');
  run.source = std::string(300, 's');
  run.name = std::string(300, 'n');
  expect_narrow(text_report(run));
  expect_narrow(comparison_table({&run, 1}));
  run.linux_free_slot_bytes_at_start.reset();
  run.live.slab = {};
  run.report = std::string(300, 'r') + "\n";
  for (int i = 0; i < 100; ++i) run.report += "more\n";
  expect_narrow(text_report(run));
  expect_narrow(comparison_table({&run, 1}));
}

}  // namespace
}  // namespace quarry::tool
