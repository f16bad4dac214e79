// SPDX-License-Identifier: MIT
#include "machine_spec.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reading.h"
#include "text_style.h"

namespace quarry::tool {
namespace {

MachineSpec parsed(std::string_view text) {
  MachineSpec spec;
  parse_machine(text, spec);
  return spec;
}

TEST(MachineSpecTest, parts_stand_in_any_order) {
  const MachineSpec spec = parsed("ram=512M,nodes=2,cpus=4");
  EXPECT_EQ(spec.nodes, 2U);
  EXPECT_EQ(spec.cpus, 4U);
  EXPECT_EQ(spec.ram_bytes, uint64_t{512} << 20);
  EXPECT_EQ(describe(spec), "2 nodes, 4 CPUs, 512 MiB");
}

TEST(MachineSpecTest, what_is_not_said_stays) {
  const MachineSpec spec = parsed("cpus=1");
  EXPECT_EQ(spec.nodes, 1U);
  EXPECT_EQ(describe(spec), "1 node, 1 CPU, 8 GiB");
}

TEST(MachineSpecTest, sizes_have_suffixes) {
  EXPECT_EQ(parsed("ram=67108864").ram_bytes, uint64_t{64} << 20);
  EXPECT_EQ(parsed("ram=65536K").ram_bytes, uint64_t{64} << 20);
  EXPECT_EQ(parsed("ram=64m").ram_bytes, uint64_t{64} << 20);
  EXPECT_EQ(parsed("ram=1T").ram_bytes, uint64_t{1} << 40);
}

class ImpossibleMachine : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ImpossibleMachine, is_refused) {
  EXPECT_EQ(error_of([] { parsed(GetParam().first); }),
            std::string("--machine: ") + GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(
    , ImpossibleMachine,
    testing::Values(std::pair{"nodes=0", "nodes=0 is not possible: 1 to 32"},
                    std::pair{"nodes=-1", "nodes=-1 is not possible: 1 to 32"},
                    std::pair{"cpus=", "cpus= is not possible: 1 to 1024"},
                    std::pair{"cpus=100000", "cpus=100000 is not possible: 1 to 1024"},
                    std::pair{"cpus=2x", "cpus=2x is not possible: 1 to 1024"},
                    std::pair{"ram=", "ram= is not a size such as 8G"},
                    std::pair{"ram=lots", "ram=lots is not a size such as 8G"},
                    std::pair{"ram=8GB", "ram=8GB is not a size such as 8G"},
                    std::pair{"ram=99999999999T", "ram=99999999999T is not a size such as 8G"},
                    std::pair{"ram=100000001", "ram=100000001 is not a number of whole pages"},
                    std::pair{"ram=1000T", "ram=1000T is more than 4 TiB"},
                    std::pair{"ram=0", "0 B on 1 node(s) is less than 1 MiB each"},
                    std::pair{"nodes=4,ram=64M", "64 MiB on 4 node(s) is less than 32 MiB each"},
                    std::pair{"", "'' is none of nodes=N, cpus=N, ram=SIZE, map=FILE"},
                    std::pair{"cpus=2,", "'' is none of nodes=N, cpus=N, ram=SIZE, map=FILE"},
                    std::pair{"cpu=2", "'cpu=2' is none of nodes=N, cpus=N, ram=SIZE, map=FILE"},
                    std::pair{"cpus=2,cpus=2", "'cpus' is given twice"}));

TEST(EngineTest, others_are_named) {
  const std::string all = fmt::format("{}", fmt::join(engine_names(), ", "));
  EXPECT_EQ(error_of([] { parse_engines("slob9"); }),
            "--engine: there is no engine 'slob9', but " + all);
  EXPECT_EQ(error_of([] { parse_engines("slub,"); }),
            "--engine: there is no engine '', but " + all);
  EXPECT_EQ(error_of([] { parse_engines("slub,slub"); }), "--engine: 'slub' is given twice");
}

TEST(EngineTest, several_keep_their_order) {
  std::vector<std::string> names = engine_names();
  EXPECT_EQ(names.front(), "slub");
  EXPECT_EQ(parse_engines("all"), names);
  EXPECT_EQ(parse_engines("slub"), std::vector<std::string>{"slub"});
  std::ranges::reverse(names);
  EXPECT_EQ(parse_engines(fmt::format("{}", fmt::join(names, ","))), names);
}

TEST(TextStyleTest, numbers_look_alike) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(4096), "4 KiB");
  EXPECT_EQ(format_bytes(34037432), "32.5 MiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1348251), "1,348,251");
  EXPECT_EQ(format_percent(1, 8), "12.5 %");
  EXPECT_EQ(format_percent(0, 0), "-");
  EXPECT_EQ(format_ratio(21, 20), "1.05");
  EXPECT_EQ(format_ratio(1, 0), "-");
}

}  // namespace
}  // namespace quarry::tool
