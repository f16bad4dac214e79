// SPDX-License-Identifier: MIT
#include "memory_map_file.h"

#include <gtest/gtest.h>

#include "machine_spec.h"
#include "reading.h"

namespace quarry::tool {
namespace {

constexpr const char* kBootText =
    "quarry: PVH, command line: replay\r\n"
    "memory-map 0x1000-0x9f000 node 0 usable\r\n"
    "memory-map 0x100000-0x10000000 node 0 usable\r\n"
    "memory-map 0x100000-0x300000 node 0 reserved\r\n"
    "layout_hash 0123456789abcdef\r\n"
    "memory-map 0x100000000-0x110000000 node 1 usable";

TEST(MemoryMapFileTest, lines_of_a_boot_make_a_machine) {
  TemporaryFolder folder;
  MachineSpec spec;
  parse_machine("cpus=2,map=" + folder.write("boot.log", kBootText), spec);
  ASSERT_EQ(spec.memory_map.size(), 4U);
  EXPECT_EQ(spec.memory_map[0].start, PhysAddr{0x1000});
  EXPECT_EQ(spec.memory_map[0].bytes, 0x9e000U);
  EXPECT_EQ(spec.memory_map[2].type, MemoryType::kReserved);
  EXPECT_EQ(spec.memory_map[3].node, NodeId{1});
  EXPECT_EQ(spec.nodes, 2U);
  EXPECT_EQ(spec.cpus, 2U);
  EXPECT_EQ(spec.ram_bytes, 0x9e000U + 0xff00000U + 0x10000000U);
}

class BadMemoryMap : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadMemoryMap, is_refused) {
  TemporaryFolder folder;
  const std::string path = folder.write("map", GetParam().first);
  EXPECT_EQ(error_of([&] { read_memory_map(path); }), path + GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(
    , BadMemoryMap,
    testing::Values(
        std::pair{"", ": no line begins with 'memory-map'"},
        std::pair{"memory 0x0-0x1000 node 0 usable\n", ": no line begins with 'memory-map'"},
        std::pair{"\nmemory-map 0x0-0x1000 usable\n",
                  ":2: 'memory-map 0x0-0x1000 usable' is not 'memory-map 0xSTART-0xEND node N "
                  "usable'"},
        std::pair{"memory-map 0x1000-0x1000 node 0 usable\n",
                  ":1: 'memory-map 0x1000-0x1000 node 0 usable' is not 'memory-map "
                  "0xSTART-0xEND node N usable'"},
        std::pair{"memory-map 0x0-0x1000 node 5000 usable\n",
                  ":1: 'memory-map 0x0-0x1000 node 5000 usable' is not 'memory-map "
                  "0xSTART-0xEND node N usable'"},
        std::pair{"memory-map 0x0-0x1000 node 0 used\n",
                  ":1: 'memory-map 0x0-0x1000 node 0 used' is not 'memory-map 0xSTART-0xEND "
                  "node N usable'"}));

TEST(MemoryMapFileTest, says_what_memory_there_is) {
  TemporaryFolder folder;
  const std::string map = "map=" + folder.write("boot.log", kBootText);
  MachineSpec spec;
  EXPECT_EQ(error_of([&] { parse_machine(map + ",ram=1G", spec); }),
            "--machine: map=FILE says which nodes and RAM there are");
  EXPECT_EQ(error_of([&] { parse_machine("nodes=2," + map, spec); }),
            "--machine: map=FILE says which nodes and RAM there are");
  EXPECT_EQ(error_of([&] { parse_machine("map=" + folder.path("missing"), spec); }),
            folder.path("missing") + ": No such file or directory");
}

}  // namespace
}  // namespace quarry::tool
