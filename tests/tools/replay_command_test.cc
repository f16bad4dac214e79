// SPDX-License-Identifier: MIT
#include "replay_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_machine.h"
#include "reading.h"
#include "small_trace.h"

namespace quarry::tool {
namespace {

using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStdout;

class ReplayCommandTest : public testing::Test {
 protected:
  ReplayCommandTest() {
    trace_ = folder_.write("a.kmt", SmallTrace{.events = {"0 0t k 0 0 0 8 8"}}.text());
    broken_ = folder_.write("b.kmt", SmallTrace{.events = {"0 0t k"}}.text());
    options_.json = folder_.path("out.json");
  }

  // Exit status; what went to standard output is in output_.
  int run() {
    CaptureStdout();
    const auto make = [this](const MachineSpec& spec) -> std::unique_ptr<ReplayMachine> {
      machine_ = spec;
      return std::make_unique<FakeMachine>(record_);
    };
    try {
      const int status = replay_command(options_, make);
      output_ = GetCapturedStdout();
      return status;
    } catch (...) {
      output_ = GetCapturedStdout();
      throw;
    }
  }

  TemporaryFolder folder_;
  std::string trace_;
  std::string broken_;
  ReplayOptions options_;
  MachineSpec machine_;
  FakeMachine::Record record_;
  std::string output_;
};

TEST_F(ReplayCommandTest, writes_tables_and_json) {
  options_.traces = {trace_, trace_};
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(output_, testing::HasSubstr("a small trace"));
  const auto json = nlohmann::json::parse(folder_.read("out.json"));
  ASSERT_EQ(json["runs"].size(), 2U);
  EXPECT_EQ(json["runs"][1]["name"], "a");
  EXPECT_GT(json["runs"][1]["ns_per_event"], 0);
}

TEST_F(ReplayCommandTest, json_alone_goes_to_standard_output) {
  options_.traces = {trace_};
  options_.json = "-";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(nlohmann::json::parse(output_)["runs"].size(), 1U);
}

TEST_F(ReplayCommandTest, engines_stand_side_by_side) {
  options_.traces = {trace_, trace_};
  options_.engines = {"slub", "another"};
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(output_, testing::ContainsRegex("a: 1 events on .* slub +another\n"));
  EXPECT_THAT(output_, testing::ContainsRegex("live objects at peak +8 B +8 B\n"));
  const auto json = nlohmann::json::parse(folder_.read("out.json"));
  ASSERT_EQ(json["runs"].size(), 4U);
  EXPECT_EQ(json["runs"][0]["engine"], "slub");
  EXPECT_EQ(json["runs"][1]["engine"], "another");
  EXPECT_EQ(json["runs"][3]["engine"], "another");
}

TEST_F(ReplayCommandTest, shows_the_texts_of_proc_that_are_asked_for) {
  options_.traces = {trace_};
  options_.proc_names = {"slabinfo"};
  run();
  EXPECT_THAT(output_,
              testing::HasSubstr("/proc/slabinfo after a through slub\nslabinfo - version"));
}

TEST_F(ReplayCommandTest, machine_has_the_traces_cpus) {
  options_.traces = {trace_};
  run();
  EXPECT_EQ(machine_.cpus, 2U);
  options_.machine.cpus = 4;
  run();
  EXPECT_EQ(machine_.cpus, 4U);
  options_.machine.cpus = 1;
  EXPECT_EQ(error_of([this] { run(); }),
            "--machine: cpus=1 is too few: " + trace_ + " was recorded on 2");
}

TEST_F(ReplayCommandTest, a_bad_trace_leaves_no_output_file) {
  options_.traces = {trace_, broken_};
  EXPECT_EQ(error_of([this] { run(); }),
            broken_ + ":19: the line ends where the object slot should stand");
  EXPECT_EQ(folder_.files(), 2U);
}

TEST_F(ReplayCommandTest, a_missing_trace_is_found_before_the_first_replay) {
  options_.traces = {trace_, folder_.path("missing.kmt")};
  EXPECT_NE(error_of([this] { run(); }), "");
  EXPECT_TRUE(record_.calls.empty());
}

TEST_F(ReplayCommandTest, a_broken_invariant_is_status_1) {
  options_.traces = {trace_};
  record_.validate = "zone Normal: free_pages";
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(output_, testing::HasSubstr("validate: zone Normal: free_pages"));
}

}  // namespace
}  // namespace quarry::tool
