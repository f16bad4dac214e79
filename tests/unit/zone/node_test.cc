// SPDX-License-Identifier: MIT
// Several nodes: zonelists, local memory, falling back and not.
#include "support/page_machine.h"

namespace quarry {
namespace {

using harness::kBelowNormalBytes;
using harness::kNormalStart;
using harness::PageChain;
using harness::PageMachine;

// Four nodes of 32 MiB from 32 MiB on, a CPU on each.
struct FourNodes : PageMachine {
  FourNodes() : PageMachine(4) {
    for (int n = 0; n != 4; ++n) {
      platform.add_memory((32 + 32 * uint64_t(n)) * kMiB, 32 * kMiB, n);
      platform.set_cpu_node(n, n);
    }
  }
  // The nodes of a zonelist in order.
  void check_order(int node, std::initializer_list<int> wanted) {
    const ZoneList& list = pages.node(NodeId(node)).fallback;
    REQUIRE_EQ(list.count, wanted.size());
    unsigned i = 0;
    for (int n : wanted) CHECK_EQ(list.zones[i++]->node.value(), n);
  }
};

QUARRY_TEST(Zonelist, equal_distances_go_round_and_share_the_load) {
  FourNodes m;
  REQUIRE(m.boot());
  m.check_order(0, {0, 1, 2, 3});
  m.check_order(1, {1, 2, 3, 0});
  m.check_order(2, {2, 3, 0, 1});
  m.check_order(3, {3, 0, 1, 2});
}

QUARRY_TEST(Zonelist, the_nearest_comes_first) {
  FourNodes m;
  m.platform.set_distance(0, 3, 15);
  m.platform.set_distance(1, 2, 15);
  m.platform.set_distance(0, 2, 30);
  REQUIRE(m.boot());
  m.check_order(0, {0, 3, 1, 2});
  m.check_order(1, {1, 2, 3, 0});
  m.check_order(2, {2, 1, 3, 0});
}

QUARRY_TEST(Zonelist, a_node_without_cpus_is_preferred_among_equals) {
  FourNodes m;
  for (unsigned cpu = 0; cpu != 4; ++cpu) m.platform.set_cpu_node(cpu, cpu == 3 ? 0 : int(cpu));
  REQUIRE(m.boot());
  m.check_order(0, {0, 3, 1, 2});
}

QUARRY_TEST(Zonelist, what_others_chose_first_comes_later_among_equals) {
  FourNodes m;
  m.platform.set_distance(0, 1, 15);
  REQUIRE(m.boot());
  // 2 is the first that node 0 chooses at distance 20, so node 1 begins with 3.
  m.check_order(0, {0, 1, 2, 3});
  m.check_order(1, {1, 0, 3, 2});
}

QUARRY_TEST(Zonelist, a_nodes_zones_go_from_high_to_low) {
  PageMachine m(2);
  m.platform.add_memory(0, kBelowNormalBytes, 0);
  m.platform.add_memory(kNormalStart, 32 * kMiB, 0);
  m.platform.add_memory(kNormalStart + 32 * kMiB, 32 * kMiB, 1);
  m.platform.set_cpu_node(1, 1);
  REQUIRE(m.boot());
  constexpr ZoneType kWanted[2][4] = {
      {ZoneType::kNormal, ZoneType::kDma32, ZoneType::kDma, ZoneType::kNormal},
      {ZoneType::kNormal, ZoneType::kNormal, ZoneType::kDma32, ZoneType::kDma}};
  for (int n = 0; n != 2; ++n) {
    const ZoneList& list = m.pages.node(NodeId(n)).fallback;
    unsigned count = 0;
    for (ZoneType wanted : kWanted[n]) {
      if (wanted == ZoneType::kDma32 && !kHasDma32) continue;
      REQUIRE(count != list.count);
      CHECK_EQ(list.zones[count++]->type, wanted);
    }
    CHECK_EQ(list.count, count);
  }
  CHECK_EQ(m.pages.node(NodeId(1)).own.count, 1U);
}

QUARRY_TEST(Nodes, memory_is_local_to_the_cpu_or_from_the_node_asked_for) {
  FourNodes m;
  REQUIRE(m.boot());
  for (unsigned cpu = 0; cpu != 4; ++cpu) {
    m.platform.on_cpu(cpu);
    CHECK_EQ(m.pages.local_node().value(), cpu);
    Page* local = m.pages.alloc(gfp::kKernel, Order(0));
    Page* other = m.pages.alloc(gfp::kKernel, Order(0), NodeId((cpu + 1) % 4));
    REQUIRE(local != nullptr && other != nullptr);
    CHECK_EQ(m.pages.node_of(m.map.pfn(local)), cpu);
    CHECK_EQ(m.pages.node_of(m.map.pfn(other)), (cpu + 1) % 4);
    m.pages.free(local, Order(0));
    m.pages.free(other, Order(0));
  }
  CHECK(m.all_free());
}

QUARRY_TEST(Nodes, a_full_node_falls_back_in_the_zonelists_order) {
  FourNodes m;
  m.platform.set_distance(0, 3, 15);
  REQUIRE(m.boot());
  PageChain chain;
  int order[4];
  unsigned seen = 0;
  for (;;) {
    Page* page = m.pages.alloc(gfp::kNoWait | gfp::kNoWarn, Order(0), NodeId(0));
    if (page == nullptr) break;
    chain.add(page);
    const int node = static_cast<int>(m.pages.node_of(m.map.pfn(page)));
    if (seen == 0 || order[seen - 1] != node) {
      if (seen == 4) break;
      order[seen++] = node;
    }
  }
  // Each is used down to low first; then all of them, in the same order, down to min.
  REQUIRE_EQ(seen, 4U);
  CHECK(order[0] == 0 && order[1] == 3 && order[2] == 1 && order[3] == 2);
  chain.free_all(m.pages);
  CHECK(m.all_free());
}

QUARRY_TEST(Nodes, thisnode_never_leaves_the_node) {
  FourNodes m;
  REQUIRE(m.boot());
  PageChain chain;
  const Zone& zone = m.zone(harness::kAboveDma, 2);
  const uint64_t count = chain.drain(m.pages, gfp::kKernel | gfp::kThisNode, Order(0), NodeId(2));
  CHECK_EQ(count, zone.managed - static_cast<uint64_t>(zone.marks.at(Mark::kMin)));
  for (int n : {0, 1, 3}) {
    CHECK_EQ(m.zone(harness::kAboveDma, n).free_pages(), m.zone(harness::kAboveDma, n).managed);
  }
  chain.free_all(m.pages);
  CHECK(m.all_free());
}

QUARRY_TEST(Nodes, a_cpu_without_local_memory_uses_the_nearest) {
  PageMachine m(3);
  m.platform.add_memory(0, 64 * kMiB, 0);
  m.platform.add_memory(64 * kMiB, 32 * kMiB, 1);
  m.platform.set_cpu_node(2, 2);
  m.platform.set_distance(2, 1, 12);
  REQUIRE(m.boot());
  CHECK_EQ(m.pages.node_count(), 3U);
  CHECK(!m.pages.node(NodeId(2)).has_memory);
  m.platform.on_cpu(2);
  CHECK_EQ(m.pages.local_node().value(), 1);
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  REQUIRE(page != nullptr);
  CHECK_EQ(m.pages.node_of(m.map.pfn(page)), 1U);
  m.pages.free(page, Order(0));
  CHECK(m.pages.alloc(gfp::kNoWait | gfp::kThisNode | gfp::kNoWarn, Order(0), NodeId(2)) ==
        nullptr);
  CHECK(m.all_free());
}

QUARRY_TEST(Nodes, a_pageblock_that_two_nodes_share_is_the_lower_ones) {
  PageMachine m;
  m.platform.add_memory(0, 33 * kMiB, 0);
  m.platform.add_memory(33 * kMiB, 31 * kMiB, 1);
  REQUIRE(m.boot());
  const Pfn shared = Pfn(33 * 256).align_down(Order(kPageblockOrder));
  CHECK_EQ(m.pages.node_of(shared + kPageblockPages - 1), 0U);
  CHECK_EQ(m.pages.node_of(shared + kPageblockPages), 1U);
  CHECK(m.sound());
}

QUARRY_TEST(Nodes, a_node_that_does_not_exist_is_reported_and_local_memory_given) {
  PageMachine m;
  REQUIRE(m.boot_mib());
  Page* page = m.pages.alloc(gfp::kKernel, Order(0), NodeId(7));
  CHECK(page != nullptr);
  CHECK(m.platform.logged("from a node that does not exist"));
  m.pages.free(page, Order(0));
}

}  // namespace
}  // namespace quarry
