// SPDX-License-Identifier: MIT
#include "map/platform_mapper.h"

#include "machine_platform.h"

namespace {

using quarry::MapAccess;
using quarry::Pfn;
using quarry::PlatformMapper;
using quarry::VirtAddr;

QUARRY_TEST(PlatformMapper, shows_frames_where_it_is_told) {
  harness::MachinePlatform platform;
  REQUIRE(harness::open_platform(platform, {.ram_bytes = 16 * quarry::kMiB}) == nullptr);
  PlatformMapper mapper;
  mapper.init(platform);
  quarry::PageMapper& seam = mapper;
  const VirtAddr at = platform.vmalloc_start() + 4096 * 10;
  REQUIRE(seam.map(at, Pfn{77}, 3, MapAccess::kReadWrite));
  at.as<char>()[2 * 4096 + 5] = 'x';
  const VirtAddr direct = platform.direct_map_base() + 79 * 4096 + 5;
  CHECK(*direct.as<char>() == 'x');
  seam.unmap(at, 3);
  REQUIRE(seam.map(at, Pfn{79}, 1, MapAccess::kReadOnly));
  CHECK(at.as<char>()[5] == 'x');
  seam.unmap(at, 1);
}

}  // namespace
