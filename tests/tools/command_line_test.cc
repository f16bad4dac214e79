// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reading.h"

namespace quarry::tool {
namespace {

Command parse(std::vector<const char*> words) {
  words.insert(words.begin(), "quarry");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(CommandLineTest, replay_with_everything) {
  const Command command =
      parse({"replay", "a.kmt", "--engine", "slub", "--machine", "nodes=2,cpus=4,ram=1G", "--json",
             "out.json", "--seed", "7", "b.kmt.zst", "-"});
  ASSERT_TRUE(command.replay);
  EXPECT_THAT(command.replay->traces, testing::ElementsAre("a.kmt", "b.kmt.zst", "-"));
  EXPECT_EQ(command.replay->engines, std::vector<std::string>{"slub"});
  EXPECT_EQ(command.replay->machine.nodes, 2U);
  EXPECT_EQ(command.replay->machine.seed, 7U);
  EXPECT_EQ(command.replay->json, "out.json");
}

TEST(CommandLineTest, replay_with_a_trace_only) {
  const Command command = parse({"replay", "a.kmt"});
  EXPECT_EQ(command.replay->machine.cpus, 0U);
  EXPECT_EQ(command.replay->machine.ram_bytes, uint64_t{8} << 30);
  EXPECT_FALSE(command.replay->json);
}

TEST(CommandLineTest, json_to_standard_output) {
  EXPECT_EQ(parse({"replay", "a.kmt", "--json", "-"}).replay->json, "-");
  EXPECT_EQ(parse({"replay", "--json=-", "a.kmt"}).replay->json, "-");
}

TEST(CommandLineTest, pack) {
  const Command command = parse({"pack", "a.kmt.zst", "-o", "a.kmp"});
  ASSERT_TRUE(command.pack);
  EXPECT_FALSE(command.replay);
  EXPECT_EQ(command.pack->trace, "a.kmt.zst");
  EXPECT_EQ(command.pack->output, "a.kmp");
}

TEST(CommandLineTest, help_and_version) {
  EXPECT_THAT(parse({"--help"}).text, testing::HasSubstr("replay"));
  EXPECT_THAT(parse({"replay", "--help"}).text, testing::HasSubstr("--machine"));
  EXPECT_THAT(parse({"--version"}).text, testing::MatchesRegex("quarry [0-9.]+\n"));
}

TEST(CommandLineTest, what_is_unknown_is_named) {
  EXPECT_THAT(error_of([] { parse({"reply"}); }), testing::HasSubstr("reply"));
  EXPECT_THAT(error_of([] { parse({"--colour"}); }), testing::HasSubstr("--colour"));
  EXPECT_THAT(error_of([] {
                parse({"replay", "a.kmt", "--colour"});
              }),
              testing::HasSubstr("--colour"));
}

TEST(CommandLineTest, mistakes_are_one_line_each) {
  const std::vector<std::vector<const char*>> mistakes = {
      {},
      {"replay"},
      {"reply", "a.kmt"},
      {"--colour"},
      {"replay", "a.kmt", "--colour"},
      {"replay", "a.kmt", "--seed", "x"},
      {"replay", "a.kmt", "--seed", "-1"},
      {"replay", "a.kmt", "--seed"},
      {"replay", "a.kmt", "--json"},
      {"replay", "a.kmt", "--engine", "slob9"},
      {"replay", "a.kmt", "--engine", ""},
      {"replay", "a.kmt", "--engine", "slub,slub"},
      {"replay", "a.kmt", "--proc", "slabinf"},
      {"replay", "a.kmt", "--machine", "nodes=0"},
      {"replay", "a.kmt", "--machine", ""},
      {"replay", "-", "-"},
      {"pack"},
      {"pack", "a.kmt"},
      {"pack", "-o", "a.kmp"},
      {"pack", "a.kmt", "b.kmt", "-o", "a.kmp"},
      {"replay", "a.kmt", "pack", "a.kmt", "-o", "a.kmp"},
  };
  for (const auto& words : mistakes) {
    const std::string error = error_of([&] { parse(words); });
    EXPECT_NE(error, "") << testing::PrintToString(words);
    EXPECT_EQ(error.find('\n'), error.npos) << error;
  }
}

}  // namespace
}  // namespace quarry::tool
