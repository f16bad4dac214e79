// SPDX-License-Identifier: MIT
// The command line as a user meets it: a process, its exit status, what it prints where, and the
// files it leaves.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "tools/temporary_folder.h"

namespace quarry::tool {
namespace {

using testing::HasSubstr;

constexpr const char* kSmallTrace =
    "kmtrace 1\ncpus 1\nevents 3\nslots obj 2\n"
    "gfp 0 0xcc0 0 -1 IO|FS|DIRECT_RECLAIM|KSWAPD_RECLAIM\n"
    "cache 0 dentry 192 192 8 0 21 1 0 0 -\nsite 0 u f+0x1\nbegin\n"
    "0 0t k 0 0 0 100 128\n0 0t c 1 0 0 0\n0 0t K 0 0\nend\n";

class QuarryCommand : public testing::Test {
 protected:
  QuarryCommand() { folder_.write("small.kmt", kSmallTrace); }

  // Runs `quarry ARGUMENTS` in the folder, through a shell.
  int run(const std::string& arguments) {
    const std::string command = fmt::format("cd '{}' && {{ '{}' {} ; }} >out 2>err",
                                            folder_.path(""), QUARRY_TOOL, arguments);
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string out() const { return folder_.read("out"); }
  std::string err() const { return folder_.read("err"); }

  // One line on standard error that says `words`, nothing else, and no file.
  void expect_refusal(const std::string& arguments, const std::string& words) {
    EXPECT_EQ(run(arguments + " --json result.json"), 2) << arguments;
    EXPECT_TRUE(err().starts_with("quarry: ")) << err();
    EXPECT_THAT(err(), HasSubstr(words)) << arguments;
    EXPECT_EQ(err().find('\n'), err().size() - 1) << err();
    EXPECT_FALSE(std::filesystem::exists(folder_.path("result.json"))) << arguments;
  }

  TemporaryFolder folder_;
};

TEST_F(QuarryCommand, prints_tables_and_nothing_on_standard_error) {
  EXPECT_EQ(run("replay small.kmt"), 0);
  EXPECT_THAT(out(), HasSubstr("validate: ok"));
  EXPECT_EQ(err(), "");
}

TEST_F(QuarryCommand, reads_standard_input) {
  EXPECT_EQ(run("replay - <small.kmt"), 0);
  EXPECT_THAT(out(), HasSubstr("stdin"));
}

TEST_F(QuarryCommand, writes_json_to_a_file_or_to_standard_output) {
  EXPECT_EQ(run("replay small.kmt --json result.json"), 0);
  EXPECT_THAT(folder_.read("result.json"), HasSubstr("\"unmatched_frees\": 0"));
  EXPECT_EQ(run("replay small.kmt --json -"), 0);
  EXPECT_TRUE(out().starts_with("{"));
}

TEST_F(QuarryCommand, helps) {
  EXPECT_EQ(run("--help"), 0);
  EXPECT_THAT(out(), HasSubstr("replay"));
  EXPECT_EQ(run("--version"), 0);
  EXPECT_TRUE(out().starts_with("quarry "));
}

TEST_F(QuarryCommand, refuses_bad_traces) {
  const std::string whole = kSmallTrace;
  folder_.write("empty.kmt", "");
  folder_.write("cut.kmt", whole.substr(0, whole.find("0 0t K")));
  folder_.write("wrong.kmt", "hello\n");
  folder_.write("packed.kmt.zst", "\x28\xb5\x2f\xfd");
  expect_refusal("replay empty.kmt", "empty.kmt:1: ");
  expect_refusal("replay cut.kmt", "cut.kmt:10: ");
  expect_refusal("replay wrong.kmt", "wrong.kmt:1: ");
  expect_refusal("replay packed.kmt.zst", "packed.kmt.zst:1: ");
  expect_refusal("replay missing.kmt", "missing.kmt: ");
  expect_refusal("replay .", "directory");
  expect_refusal("replay small.kmt cut.kmt", "cut.kmt:10: ");
}

TEST_F(QuarryCommand, refuses_machines_and_engines_that_cannot_be) {
  expect_refusal("replay small.kmt --engine slob9", "slob9");
  expect_refusal("replay small.kmt --machine nodes=0", "nodes=0");
  expect_refusal("replay small.kmt --machine cpus=1000000", "cpus=1000000");
  expect_refusal("replay small.kmt --machine ram=512K", "512 KiB");
  expect_refusal("replay small.kmt --machine ram=16T", "4 TiB");
  expect_refusal("replay small.kmt --machine colour=red", "colour");
}

TEST_F(QuarryCommand, refuses_what_it_does_not_know) {
  expect_refusal("replay small.kmt --colour", "--colour");
  expect_refusal("reply small.kmt", "reply");
  expect_refusal("replay", "TRACE");
}

TEST_F(QuarryCommand, packs_traces_that_replay_the_same) {
  EXPECT_EQ(run("pack small.kmt -o small.kmp"), 0);
  EXPECT_EQ(out() + err(), "");
  EXPECT_EQ(run("pack - -o - <small.kmt"), 0);
  EXPECT_EQ(out(), folder_.read("small.kmp"));
  EXPECT_EQ(run("replay small.kmt"), 0);
  const std::string text = out();
  EXPECT_EQ(run("replay small.kmp"), 0);
  const auto hash_in = [](const std::string& words) {
    return words.substr(words.find("layout_hash"), 28);
  };
  EXPECT_THAT(hash_in(text), testing::MatchesRegex("layout_hash [0-9a-f]{16}"));
  EXPECT_EQ(hash_in(out()), hash_in(text));
}

TEST_F(QuarryCommand, packs_nothing_that_is_wrong) {
  const std::string whole = kSmallTrace;
  folder_.write("cut.kmt", whole.substr(0, whole.find("0 0t K")));
  EXPECT_EQ(run("pack cut.kmt -o cut.kmp"), 2);
  EXPECT_THAT(err(), HasSubstr("cut.kmt:10: "));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("cut.kmp")));
  EXPECT_EQ(run("pack small.kmt -o missing/small.kmp"), 2);
  EXPECT_THAT(err(), HasSubstr("missing/small.kmp"));
  EXPECT_EQ(run("pack small.kmt -o small.kmp"), 0);
  const std::string packed = folder_.read("small.kmp");
  folder_.write("cut.kmp", packed.substr(0, packed.size() - 3));
  expect_refusal("replay cut.kmp", "cut.kmp: the packed trace has");
}

TEST_F(QuarryCommand, replays_on_a_given_memory_map) {
  folder_.write("boot.log",
                "memory-map 0x1000-0x9f000 node 0 usable\n"
                "memory-map 0x100000-0x4000000 node 0 usable\n"
                "memory-map 0x100000-0x300000 node 0 reserved\n");
  EXPECT_EQ(run("replay small.kmt --machine map=boot.log"), 0);
  EXPECT_THAT(out(), HasSubstr("1 node, 1 CPU, 63.6 MiB"));
  EXPECT_THAT(out(), HasSubstr("validate: ok"));
  folder_.write("odd.log", "memory-map 0x1234-0x9f000 node 0 usable\n");
  expect_refusal("replay small.kmt --machine map=odd.log", "not of whole pages");
  expect_refusal("replay small.kmt --machine map=missing.log", "missing.log: ");
}

TEST_F(QuarryCommand, needs_somewhere_to_write) {
  EXPECT_EQ(run("replay small.kmt >&-"), 2);
  EXPECT_THAT(err(), HasSubstr("standard output"));
  EXPECT_EQ(run("replay small.kmt >/dev/full"), 2);
  EXPECT_THAT(err(), HasSubstr("standard output"));
  EXPECT_EQ(run("replay small.kmt --json missing/result.json"), 2);
  EXPECT_THAT(err(), HasSubstr("missing/result.json"));
  EXPECT_EQ(out(), "");
}

}  // namespace
}  // namespace quarry::tool
