// SPDX-License-Identifier: MIT
#include "quarry/hosted_platform.h"
#include "quarry/memory_system.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "hosted/fault_probe.h"

namespace quarry {
namespace {

constexpr size_t kPage = 4096;

char* direct(const HostedPlatform& machine, uint64_t physical) {
  return machine.direct_map_base().as<char>() + physical;
}

long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return resident * static_cast<long>(kPage);
}

TEST(HostedPlatform, SplitsRamEvenlyOverNodes) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 1000 * kMiB, .nodes = 3, .cpus = 4, .simulated = true}));
  const auto ranges = machine.memory_ranges();
  ASSERT_EQ(ranges.size(), 3U);
  EXPECT_EQ(ranges[0].bytes, 256 * kMiB);  // two sections of 128 MiB
  EXPECT_EQ(ranges[1].start.value(), 256 * kMiB);
  EXPECT_EQ(ranges[2].bytes, 488 * kMiB);
  EXPECT_EQ(ranges[2].node, NodeId{2});
  EXPECT_EQ(machine.cpu_node(CpuId{3}), NodeId{0});
  EXPECT_EQ(machine.node_distance(NodeId{1}, NodeId{1}), 10U);
  EXPECT_EQ(machine.node_distance(NodeId{1}, NodeId{2}), 20U);

  HostedPlatform small;
  ASSERT_TRUE(small.open({.ram_bytes = 15 * kMiB, .nodes = 2}));
  EXPECT_EQ(small.memory_ranges()[0].bytes, 6 * kMiB);  // pageblocks of 2 MiB
  EXPECT_EQ(small.memory_ranges()[1].bytes, 9 * kMiB);
}

TEST(HostedPlatform, RefusesImpossibleMachines) {
  HostedPlatform machine;
  EXPECT_FALSE(machine.open({.ram_bytes = 4 * kMiB, .nodes = 3}));
  EXPECT_STREQ(machine.error(), "less than 2 MiB of RAM for a node");
  EXPECT_FALSE(machine.open({.ram_bytes = 4095}));
  EXPECT_STREQ(machine.error(), "no RAM");
  EXPECT_FALSE(machine.open({.nodes = 0}));
  EXPECT_FALSE(machine.open({.nodes = 33}));
  EXPECT_FALSE(machine.open({.ram_bytes = uint64_t{5} << 40}));
  EXPECT_FALSE(machine.open({.cpus = 1025}));
  EXPECT_FALSE(machine.open({.vmalloc_bytes = uint64_t{1} << 60}));
  EXPECT_STREQ(machine.error(), "the host refuses address space of that size");
  const MemoryRange odd{PhysAddr{100}, kMiB, NodeId{0}, MemoryType::kUsable};
  EXPECT_FALSE(machine.open({.memory_map = {&odd, 1}}));
  EXPECT_TRUE(machine.open({})) << machine.error();
}

TEST(HostedPlatform, MemoryIsZeroAndGuarded) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
  char* const first = direct(machine, 0);
  EXPECT_EQ(first[0], 0);
  EXPECT_EQ(first[64 * kMiB - 1], 0);
  first[64 * kMiB - 1] = 1;
  EXPECT_TRUE(probe::read_faults(machine.direct_map_base().value() - 1));
  EXPECT_TRUE(probe::read_faults(machine.direct_map_base().value() + 64 * kMiB));
  EXPECT_TRUE(probe::read_faults(machine.vmalloc_start().value()));
  EXPECT_TRUE(probe::read_faults(machine.vmalloc_start().value() - 1));
  EXPECT_TRUE(probe::read_faults(machine.vmalloc_end().value() - 1));
  EXPECT_TRUE(probe::read_faults(machine.vmalloc_end().value()));
}

TEST(HostedPlatform, HolesOfTheMemoryMapFault) {
  const MemoryRange map[] = {
      {PhysAddr{0}, 640 * kKiB, NodeId{0}, MemoryType::kUsable},
      {PhysAddr{640 * kKiB}, 384 * kKiB, NodeId{0}, MemoryType::kReserved},
      {PhysAddr{kMiB}, 31 * kMiB, NodeId{0}, MemoryType::kUsable},
      {PhysAddr{4 * kGiB}, 32 * kMiB, NodeId{1}, MemoryType::kUsable},
  };
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.memory_map = map})) << machine.error();
  ASSERT_EQ(machine.memory_ranges().size(), 4U);
  const uintptr_t base = machine.direct_map_base().value();
  EXPECT_FALSE(probe::write_faults(base + 640 * kKiB - 1));
  EXPECT_TRUE(probe::write_faults(base + 640 * kKiB));
  EXPECT_FALSE(probe::write_faults(base + kMiB));
  EXPECT_TRUE(probe::write_faults(base + 32 * kMiB));
  EXPECT_TRUE(probe::write_faults(base + 4 * kGiB - 1));
  EXPECT_FALSE(probe::write_faults(base + 4 * kGiB));
}

TEST(HostedPlatform, MapsScatteredFramesInARow) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
  const uint32_t frames[] = {700, 9, 3000, 10, 11};
  const VirtAddr at = machine.vmalloc_start() + 16 * kPage;
  for (size_t i = 0; i != std::size(frames); ++i) {
    ASSERT_TRUE(machine.map(at + i * kPage, Pfn{frames[i]}, 1, MapAccess::kReadWrite));
  }
  for (size_t i = 0; i != std::size(frames) * kPage; ++i)
    at.as<char>()[i] = static_cast<char>(i / 7);
  for (size_t i = 0; i != std::size(frames) * kPage; ++i) {
    ASSERT_EQ(direct(machine, frames[i / kPage] * kPage)[i % kPage], static_cast<char>(i / 7));
  }
  EXPECT_TRUE(probe::read_faults((at + std::size(frames) * kPage).value()));
  machine.unmap(at, std::size(frames));
  for (size_t i = 0; i != std::size(frames); ++i) {
    EXPECT_TRUE(probe::read_faults((at + i * kPage).value()));
  }
  EXPECT_EQ(direct(machine, 700 * kPage)[8], 1);
}

TEST(HostedPlatform, ReadOnlyMappingRefusesWrites) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
  const VirtAddr at = machine.vmalloc_start();
  direct(machine, 100 * kPage)[5] = 42;
  ASSERT_TRUE(machine.map(at, Pfn{100}, 40, MapAccess::kReadOnly));
  EXPECT_EQ(at.as<char>()[5], 42);
  EXPECT_TRUE(probe::write_faults(at.value()));
  machine.unmap(at, 40);
  EXPECT_TRUE(probe::read_faults(at.value()));
  ASSERT_TRUE(machine.map(at, Pfn{100}, 40, MapAccess::kReadWrite));
  EXPECT_FALSE(probe::write_faults(at.value()));
}

// The host's page-table entries of large runs move between the range and the parking.
TEST(HostedPlatform, ContentsStayWithTheirFrames) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
  for (const size_t count : {1U, 33U, 34U, 256U, 700U}) {
    for (unsigned round = 0; round != 4; ++round) {
      const VirtAddr at = machine.vmalloc_start() + round * 1000 * kPage;
      const Pfn first{1000 + 50 * round};
      const char stamp = static_cast<char>(round * 16 + count % 16);
      ASSERT_TRUE(machine.map(at, first, count, MapAccess::kReadWrite));
      // Two views at once: the second one cannot take entries that the first one has.
      ASSERT_TRUE(machine.map(at + 4000 * kPage, first, count, MapAccess::kReadWrite));
      for (size_t i = 0; i != count; ++i)
        at.as<char>()[i * kPage + i] = static_cast<char>(stamp + i);
      for (size_t i = 0; i != count; ++i) {
        const char wanted = static_cast<char>(stamp + i);
        ASSERT_EQ((at + 4000 * kPage).as<char>()[i * kPage + i], wanted);
        ASSERT_EQ(direct(machine, (first.value() + i) * kPage)[i], wanted);
      }
      machine.unmap(at, count);
      machine.unmap(at + 4000 * kPage, count);
      for (size_t i = 0; i != count; ++i) {
        ASSERT_TRUE(probe::read_faults((at + i * kPage).value()));
        ASSERT_TRUE(probe::read_faults((at + (4000 + i) * kPage).value()));
      }
    }
  }
}

TEST(HostedPlatform, SurvivesTheLimitOfMappings) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
  const auto place = [&](size_t i) { return machine.vmalloc_start() + 2 * i * kPage; };
  for (int round = 0; round != 2; ++round) {
    size_t count = 0;
    while (count != 200'000 &&
           machine.map(place(count), Pfn{2 + count % 1000}, 1, MapAccess::kReadWrite)) {
      ++count;
    }
    ASSERT_LT(count, 200'000U) << "the host has no limit that a test could reach";
    EXPECT_GT(count, 20'000U);
    EXPECT_TRUE(probe::read_faults(place(count).value()));
    for (size_t i = 0; i != count; ++i) {
      machine.unmap(place(i), 1);
      if (i % 1000 == 0) {
        ASSERT_TRUE(probe::read_faults(place(i).value()));
      }
    }
    ASSERT_TRUE(machine.map(place(0), Pfn{5}, 1, MapAccess::kReadWrite));
    machine.unmap(place(0), 1);
  }
}

TEST(HostedPlatform, SeveralMachinesDoNotShareMemory) {
  HostedPlatform machine[3];
  for (HostedPlatform& one : machine) ASSERT_TRUE(one.open({.ram_bytes = 32 * kMiB}));
  for (int i = 0; i != 3; ++i) direct(machine[i], 5 * kPage)[0] = static_cast<char>('a' + i);
  for (int i = 0; i != 3; ++i) EXPECT_EQ(direct(machine[i], 5 * kPage)[0], 'a' + i);
  machine[1].close();
  EXPECT_EQ(direct(machine[2], 5 * kPage)[0], 'c');
  ASSERT_TRUE(machine[1].open({.ram_bytes = 32 * kMiB}));
  EXPECT_EQ(direct(machine[1], 5 * kPage)[0], 0);
}

TEST(HostedPlatform, RealCpusHaveNumbersBelowTheCount) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({}));
  for (int i = 0; i != 1000; ++i) EXPECT_LT(machine.current_cpu().value(), machine.cpu_count());
  EXPECT_EQ(machine.restart_array_operations(), machine.has_lockless_arrays());
  EXPECT_GT(machine.clock_ns(), 0U);

  HostedPlatform locked;
  ASSERT_TRUE(locked.open({.locked_arrays = true}));
  EXPECT_FALSE(locked.has_lockless_arrays());
  EXPECT_FALSE(locked.restart_array_operations());
}

TEST(HostedPlatform, SimulatedCpusAndClockStandStill) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.cpus = 6, .simulated = true}));
  EXPECT_EQ(machine.cpu_count(), 6U);
  EXPECT_FALSE(machine.has_lockless_arrays());
  EXPECT_EQ(machine.current_cpu(), CpuId{0});
  machine.set_current_cpu(CpuId{5});
  EXPECT_EQ(machine.current_cpu(), CpuId{5});
  EXPECT_EQ(machine.clock_ns(), 0U);
  machine.advance_clock(1234);
  EXPECT_EQ(machine.clock_ns(), 1234U);
  EXPECT_FALSE(machine.wait_for_memory());
}

TEST(HostedPlatform, LogGoesWhereTheOptionsSay) {
  std::string text;
  HostedPlatform machine;
  ASSERT_TRUE(machine.open(
      {.log = [](void* context, const char* piece,
                 size_t length) { static_cast<std::string*>(context)->append(piece, length); },
       .log_context = &text}));
  machine.log("one\ntwo", 5);
  EXPECT_EQ(text, "one\nt");
}

[[gnu::noinline]] size_t named_place(const HostedPlatform& machine, std::span<uintptr_t> frames) {
  const size_t count = machine.backtrace(frames);
  asm volatile("" ::: "memory");
  return count;
}

TEST(HostedPlatform, BacktraceNamesFunctionsThatAreNotExported) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({}));
  uintptr_t frames[16];
  const size_t count = named_place(machine, frames);
  ASSERT_GE(count, 3U);
  char text[200];
  machine.symbolize(frames[0], text);
  EXPECT_NE(std::string(text).find("named_place"), std::string::npos) << text;
  EXPECT_NE(std::string(text).find("+0x"), std::string::npos) << text;
  machine.symbolize(frames[1], text);
  EXPECT_NE(std::string(text).find("BacktraceNames"), std::string::npos) << text;
  machine.symbolize(0x123, text);
  EXPECT_STREQ(text, "0x123");
  machine.symbolize(0x123, {text, 4});
  EXPECT_STREQ(text, "0x1");
}

using HostedPlatformDeathTest = ::testing::Test;

TEST(HostedPlatformDeathTest, FatalReportsAndAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({}));
  EXPECT_DEATH(machine.fatal("the end"), "the end\nCall Trace:\n .*\\+0x");
}

TEST(HostedPlatformDeathTest, AFailedCheckSaysWhereAndAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(QUARRY_CHECK(1 + 1 == 3), "quarry: check failed: 1 \\+ 1 == 3 at .*_test.cc:");
}

TEST(HostedPlatform, AnIdleMachineCostsNoMemory) {
  const long before = resident_bytes();
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kGiB})) << machine.error();
  EXPECT_LT(resident_bytes() - before, 256 * 1024);
}

// The descriptors of 32 GiB are 256 MiB. What was never used is neither filled by a check nor by
// anything else.
TEST(HostedPlatform, ACheckedSystemStaysSparse) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 32 * kGiB})) << machine.error();
  MemorySystem system;
  ASSERT_TRUE(system.boot(machine, {}));
  const long before = resident_bytes();
  void* const memory = system.kmalloc(100, gfp::kKernel);
  FixedText<1000> problem;
  EXPECT_TRUE(system.validate(problem)) << problem.c_str();
  EXPECT_LT(resident_bytes() - before, 8 * static_cast<long>(kMiB));
  system.kfree(memory);
  EXPECT_EQ(system.shutdown(), 0U);
}

}  // namespace
}  // namespace quarry
