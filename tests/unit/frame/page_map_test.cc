// SPDX-License-Identifier: MIT
#include "frame/page_map.h"

#include "frame/boot_page_map.h"
#include "support/test_platform.h"

namespace quarry {
namespace {

constexpr PhysAddr kTop{uint64_t{1} << 40};

struct Fixture {
  harness::TestPlatform platform;
  Memblock blocks;
  PageMap map;

  bool boot() {
    if (!blocks.add_all(platform)) return false;
    BootMemory memory(blocks, platform, kTop);
    return boot_page_map(map, memory, platform);
  }
};

QUARRY_TEST(PageMap, addresses_frames_and_descriptors_lead_to_each_other) {
  Fixture f;
  f.platform.add_memory(0, 32 * kMiB);
  REQUIRE(f.boot());
  auto* base = f.platform.direct_map_base().as<unsigned char>();
  for (uint32_t frame : {1U, 77U, 8191U}) {
    const Pfn pfn(frame);
    Page* page = f.map.page(pfn);
    CHECK(f.map.pfn(page) == pfn);
    CHECK(f.map.address(pfn) == base + size_t{frame} * 4096);
    CHECK(f.map.page_of(base + size_t{frame} * 4096 + 123) == page);
    CHECK(f.map.pfn_of(base + size_t{frame} * 4096 + 4095) == pfn);
  }
  CHECK(f.map.page_of(base - 1) == nullptr);
  CHECK(f.map.page_of(base + 200 * kMiB) == nullptr);
}

QUARRY_TEST(PageMap, has_sections_only_where_there_is_memory) {
  Fixture f;
  f.platform.add_memory(0, 32 * kMiB);
  f.platform.add_memory(512 * kMiB, 32 * kMiB);
  REQUIRE(f.boot());
  CHECK_EQ(f.map.end().value(), 544 * kMiB / 4096);
  // No pageblock has a zone yet.
  for (uint32_t mib : {0U, 256U, 512U, 700U}) CHECK(!f.map.valid(Pfn(mib * 256)));
  f.map.pageblock(Pfn(0)).zone_id = 0;
  CHECK(f.map.valid(Pfn(5)));
  CHECK(!f.map.valid(Pfn(256 * 256)));
}

QUARRY_TEST(PageMap, finds_the_head_of_a_compound_block) {
  Fixture f;
  f.platform.add_memory(0, 32 * kMiB);
  REQUIRE(f.boot());
  Page* head = f.map.page(Pfn(16));
  head->flags = QUARRY_PAGE_HEAD;
  head[3].flags = QUARRY_PAGE_TAIL;
  head[3].head = 16;
  CHECK(compound_head(f.map, head + 3) == head);
  CHECK(compound_head(f.map, head) == head);
  CHECK(compound_head(f.map, head + 9) == head + 9);
}

// Descriptors reach as far as freeing a block looks, and no further.
QUARRY_TEST(PageMap, ends_with_the_largest_block_or_soon_after_little_memory) {
  struct Size {
    uint64_t bytes;
    uint32_t frames;
  };
  for (const Size& size : {Size{512 * kKiB, 256},
                           {kMiB, 512},
                           {kMiB + 4096, 1024},
                           {3 * kMiB, 1024},
                           {4 * kMiB, 1024},
                           {4 * kMiB + 4096, 2048},
                           {200 * kMiB, 51200}}) {
    Fixture f;
    f.platform.add_memory(0, size.bytes);
    REQUIRE(f.boot());
    CHECK_EQ(f.map.end().value(), size.frames);
  }
}

QUARRY_TEST(PageMap, needs_memory) {
  Fixture none;
  CHECK(!none.boot());
  Fixture tiny;
  tiny.platform.add_memory(0, 0x1000);  // frame 0 is nobody's
  CHECK(!tiny.boot());
}

}  // namespace
}  // namespace quarry
