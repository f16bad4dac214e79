// SPDX-License-Identifier: MIT
#include "frame/memblock.h"

#include "support/test_platform.h"

namespace quarry {
namespace {

constexpr PhysAddr kTop{uint64_t{1} << 40};

uint64_t offset_of(const harness::TestPlatform& platform, const void* memory) {
  return VirtAddr(memory).value() - platform.direct_map_base().value();
}

QUARRY_TEST(BootMemory, begins_above_16_mib_on_a_machine_with_more_than_64) {
  harness::TestPlatform platform;
  platform.add_memory(0, 128 * kMiB);
  Memblock blocks;
  REQUIRE(blocks.add_all(platform));
  BootMemory boot(blocks, platform, kTop);
  CHECK_EQ(offset_of(platform, boot.alloc(100)), 16 * kMiB);
  CHECK_EQ(offset_of(platform, boot.alloc(100)), 16 * kMiB + 128);
  CHECK_EQ(offset_of(platform, boot.alloc(8, 4096)), 16 * kMiB + 4096);
  CHECK_EQ(offset_of(platform, boot.alloc(8)), 16 * kMiB + 256);
}

QUARRY_TEST(BootMemory, begins_at_the_lowest_address_on_a_small_machine) {
  harness::TestPlatform platform;
  platform.add_memory(0, 32 * kMiB);
  platform.add_reserved(0x1000, 0x3000);
  Memblock blocks;
  REQUIRE(blocks.add_all(platform));
  BootMemory boot(blocks, platform, kTop);
  // Frame 0 is nobody's.
  CHECK_EQ(offset_of(platform, boot.alloc(100)), 0x4000U);
}

QUARRY_TEST(BootMemory, is_zero_whatever_memory_held) {
  harness::TestPlatform platform;
  platform.add_memory(0, 4 * kMiB);
  platform.fill_memory(0xee);
  Memblock blocks;
  REQUIRE(blocks.add_all(platform));
  BootMemory boot(blocks, platform, kTop);
  const auto* memory = static_cast<const unsigned char*>(boot.alloc(10000));
  REQUIRE(memory != nullptr);
  for (int i = 0; i != 10000; ++i) CHECK_EQ(memory[i], 0);
}

QUARRY_TEST(BootMemory, ends_where_the_direct_map_does) {
  harness::TestPlatform platform;
  platform.add_memory(0, 4 * kMiB);
  Memblock blocks;
  REQUIRE(blocks.add_all(platform));
  BootMemory boot(blocks, platform, PhysAddr(kMiB));
  CHECK(boot.alloc(2 * kMiB) == nullptr);
  CHECK(boot.alloc(kMiB / 2) != nullptr);
}

}  // namespace
}  // namespace quarry
