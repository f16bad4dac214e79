// SPDX-License-Identifier: MIT
// Zones, nodes and CPUs are what the firmware says. Counted here from its tables once more, in the
// plainest way.
#include <algorithm>

#include "harness.h"
#include "kernel.h"
#include "port_layout.h"
#include "x86/image.h"
#include "x86/smp.h"

namespace {

using namespace quarry;

constexpr uint64_t kDmaEnd = 16 * kMiB;
constexpr unsigned kDma = 0;
constexpr unsigned kDma32 = 1;
constexpr unsigned kNormal = 2;
constexpr unsigned kHighmem = 3;

unsigned zone_of(uint64_t physical) {
  if (physical < kDmaEnd) return kDma;
  if (physical < Arch::kDma32Limit) return kDma32;
  return physical < Arch::kLowmemLimit ? kNormal : kHighmem;
}

unsigned node_of(uint64_t physical) {
  for (unsigned i = 0; i != machine.node_range_count; ++i) {
    const NodeRange& range = machine.node_range[i];
    if (physical >= range.start && physical < range.end()) return unsigned(range.node.value());
  }
  return 0;
}

bool is_usable(Pfn frame) {
  const PhysRange page{uint64_t{frame.value()} << kPageShift, kPageBytes};
  for (const BootRange& range : machine.boot.ranges()) {
    if (range.type == BootRange::kUsable && page.start >= range.start && page.end() <= range.end())
      return true;
  }
  return false;
}

QUARRY_TEST(Zones, have_the_frames_of_the_memory_map) {
  static uint64_t expected[kMaxBareNodes][kZoneTypes];
  __builtin_memset(expected, 0, sizeof(expected));
  for (const BootRange& range : machine.boot.ranges()) {
    if (range.type != BootRange::kUsable) continue;
    const uint64_t end = std::min(round_down(range.end(), uint64_t{kPageBytes}), kPhysicalLimit);
    for (uint64_t at = round_up(range.start, uint64_t{kPageBytes}); at < end; at += kPageBytes) {
      ++expected[node_of(at)][zone_of(at)];
    }
  }
  CHECK_EQ(boot::system().node_count(), machine.node_count);
  for (const Zone& zone : boot::core().pages.zones()) {
    const unsigned type = static_cast<unsigned>(zone.type);
    if (!CHECK_EQ(zone.present, expected[zone.node.value()][type])) {
      boot::print("node %d, zone %s\n", zone.node, zone.name());
    }
  }
}

// What is no memory, and what the kernel itself takes, is nobody's.
QUARRY_TEST(Zones, holes_and_the_image_are_reserved) {
  const PageMap& map = boot::core().map;
  const PhysRange image{image::physical_start(), image::bytes()};
  unsigned holes = 0;
  unsigned wrong = 0;
  for (Pfn frame{0}; frame < map.end(); ++frame) {
    if (!map.valid(frame)) continue;
    const uint64_t at = uint64_t{frame.value()} << kPageShift;
    const bool hole = !is_usable(frame);
    const bool taken = at < kMiB || (at >= image.start && at < image.end());
    if (hole) ++holes;
    if ((hole || taken) && !has_flag(*map.page(frame), QUARRY_PAGE_RESERVED)) ++wrong;
  }
  CHECK(holes != 0);  // 640 KiB to 1 MiB at least
  CHECK_EQ(wrong, 0U);
}

struct Request {
  Gfp gfp;
  unsigned highest_zone;
};

// Each request gets a frame of the highest zone that it may have and the machine has.
QUARRY_TEST(Zones, serve_requests_by_address) {
  const boot::Balanced balanced;
  const Request requests[] = {
      {gfp::kKernel | gfp::kDma, kDma},
      {gfp::kKernel | gfp::kDma32, Arch::kDma32Limit != 0 ? kDma32 : kNormal},
      {gfp::kKernel, kNormal},
      {gfp::kKernel | gfp::kHighmemBit, kHighmem}};
  for (const Request& request : requests) {
    unsigned highest = 0;
    for (const Zone& zone : boot::core().pages.zones()) {
      const unsigned type = static_cast<unsigned>(zone.type);
      if (zone.populated() && type <= request.highest_zone) highest = std::max(highest, type);
    }
    Page* const page = boot::system().alloc_pages(request.gfp, Order(3));
    REQUIRE(page != nullptr);
    const Pfn frame = boot::system().page_to_pfn(page);
    CHECK_EQ(zone_of(uint64_t{frame.value()} << kPageShift), highest);
    CHECK_EQ(boot::system().page_zone(page), highest);
    boot::system().free_pages(page, Order(3));
  }
}

// --- Nodes ---

QUARRY_TEST(Nodes, serve_their_own_memory) {
  const boot::Balanced balanced;
  REQUIRE(boot::system().node_count() >= 2);
  for (unsigned n = 0; n != boot::system().node_count(); ++n) {
    void* const object = boot::system().kmalloc_node(1000, gfp::kKernel, NodeId(n));
    REQUIRE(object != nullptr);
    const Pfn frame = boot::core().map.pfn_of(object);
    CHECK_EQ(node_of(uint64_t{frame.value()} << kPageShift), n);
    boot::system().kfree(object);
  }
}

struct Local {
  unsigned node = ~0U;
};

QUARRY_TEST(Nodes, cpus_get_memory_of_their_node) {
  const boot::Balanced balanced;
  bool several = false;
  for (unsigned cpu = 1; cpu != machine.cpu_count; ++cpu) {
    Local local;
    run_on(
        CpuId(cpu),
        [](void* context) {
          Page* const page = boot::system().alloc_pages(gfp::kKernel, Order(0));
          if (page == nullptr) return;
          const Pfn frame = boot::system().page_to_pfn(page);
          static_cast<Local*>(context)->node = node_of(uint64_t{frame.value()} << kPageShift);
          boot::system().free_pages(page, Order(0));
        },
        &local);
    wait_for(CpuId(cpu));
    CHECK_EQ(local.node, unsigned(machine.cpu[cpu].node.value()));
    several = several || machine.cpu[cpu].node != machine.cpu[0].node;
  }
  CHECK(several);
}

// The boot gives 10 and 21 (QEMU: -numa dist).
QUARRY_TEST(Nodes, have_the_distances_of_the_slit) {
  const uint64_t remote = boot::number("nodes.distance", 0);
  REQUIRE_EQ(boot::system().node_count(), 2U);
  for (unsigned from = 0; from != 2; ++from) {
    for (unsigned to = 0; to != 2; ++to) {
      CHECK_EQ(boot::platform().node_distance(NodeId(from), NodeId(to)), from == to ? 10 : remote);
    }
  }
}

}  // namespace
