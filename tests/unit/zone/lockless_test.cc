// SPDX-License-Identifier: MIT
// The fast paths, which the machine's own CPUs take, in a process those with restartable sequences.
// Elsewhere nothing is tested here.
#include "frame/boot_page_map.h"
#include "machine_platform.h"
#include "support/page_machine.h"
#include "sync/execution_context.h"

namespace quarry {
namespace {

using harness::PageChain;

struct Machine {
  harness::MachinePlatform platform;
  Memblock memblock{};
  PageMap map{};
  PageAllocator pages{};
  harness::Log log;
  bool lockless = false;

  Machine() {
    const harness::PlatformSpec spec{
        .cpus = 0, .cpu_kind = harness::CpuKind::kLockless, .log = &log};
    if (harness::open_platform(platform, spec) != nullptr || !memblock.add_all(platform)) return;
    BootMemory memory(memblock, platform, PhysAddr(Arch::kLowmemLimit));
    if (!boot_page_map(map, memory, platform) || !pages.boot(platform, map, memory, {})) return;
    pages.hand_over(memblock);
    lockless = platform.has_lockless_arrays();
  }
  // Where nearly all of the memory is.
  Zone& zone() { return pages.node(NodeId(0)).zone(harness::kAboveDma); }
  bool all_free() {
    pages.drain_all();
    FixedText<512> problem;
    return CHECK_EQ(pages.free_pages(), pages.managed_pages()) && CHECK(pages.validate(&problem));
  }
};

QUARRY_TEST(LocklessPages, what_is_freed_comes_back_and_is_as_new) {
  Machine m;
  if (!m.lockless) return;
  for (uint8_t order = 0; order <= 3; ++order) {
    Page* first = m.pages.alloc(gfp::kKernel, Order(order));
    m.pages.drain_all();
    m.pages.free(first, Order(order));
    CHECK_EQ(first->flags, uint32_t{QUARRY_PAGE_PCP});
    CHECK_EQ(first->_refcount, 0);
    Page* again = m.pages.alloc(gfp::kKernel | gfp::kComp, Order(order));
    // Another CPU may run this thread now, with stacks of its own.
    CHECK_EQ(again->_refcount, 1);
    CHECK_EQ(has_flag(*again, QUARRY_PAGE_HEAD), order != 0);
    m.pages.free(again, Order(order));
  }
  CHECK(m.all_free());
  CHECK(m.log.empty());
}

QUARRY_TEST(LocklessPages, zeroing_and_migrate_types) {
  Machine m;
  if (!m.lockless) return;
  for (Gfp gfp : {gfp::kKernel, gfp::kHighUserMovable, gfp::kKernel | gfp::kReclaimable}) {
    for (int round = 0; round != 300; ++round) {
      Page* page = m.pages.alloc(gfp | gfp::kZero, Order(0));
      REQUIRE(page != nullptr);
      auto* memory = static_cast<uint64_t*>(m.map.address(page));
      uint64_t set = 0;
      for (size_t i = 0; i != kPageBytes / 8; ++i) set |= memory[i];
      CHECK_EQ(set, 0U);
      memory[0] = memory[511] = ~uint64_t{0};
      CHECK_EQ(m.map.migratetype(m.map.pfn(page)), gfp_migratetype(gfp));
      m.pages.free(page, Order(0));
    }
  }
  CHECK(m.all_free());
}

QUARRY_TEST(LocklessPages, marks_hold_on_the_fast_path_too) {
  Machine m;
  if (!m.lockless) return;
  const Zone& zone = m.zone();
  for (unsigned order : {0U, 3U}) {
    PageChain chain;
    // Down to low without the slow path's rights, then to min.
    chain.drain(m.pages, gfp::kKernel, Order(order));
    const long spare = zone.free_pages() - zone.marks.at(Mark::kMin);
    CHECK(spare >= 0 && spare < long{1} << order);
    chain.free_all(m.pages, Order(order));
    CHECK(m.all_free());
  }
}

QUARRY_TEST(LocklessPages, what_a_stack_has_is_not_for_requests_below_their_mark) {
  Machine m;
  if (!m.lockless) return;
  PageChain chain;
  chain.drain(m.pages, gfp::kAtomic);
  PageChain others;
  while (m.zone().stacks.count(CpuId(static_cast<unsigned>(Arch::cpu_id()))) < 5) {
    Page* page = chain.pop();
    REQUIRE(page != nullptr);
    if (&m.pages.zone_of(m.map.pfn(page)) == &m.zone()) {
      m.pages.free(page, Order(0));
    } else {
      others.add(page);
    }
  }
  CHECK(m.pages.alloc(gfp::kNoWait | gfp::kNoWarn, Order(0)) == nullptr);
  chain.free_all(m.pages);
  others.free_all(m.pages);
  CHECK(m.all_free());
}

QUARRY_TEST(LocklessPages, the_same_page_twice_is_found) {
  Machine m;
  if (!m.lockless) return;
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  m.pages.free(page, Order(0));
  m.pages.free(page, Order(0));
  CHECK(m.log.count("BUG: Bad page state") != 0);
  CHECK(m.all_free());
}

QUARRY_TEST(LocklessPages, contexts_and_faults_leave_the_fast_path) {
  Machine m;
  if (!m.lockless) return;
  Page* page = m.pages.alloc(gfp::kKernel, Order(0));
  m.pages.free(page, Order(0));
  {
    ContextGuard guard(&quarry_context::hardirq_depth);
    page = m.pages.alloc(gfp::kKernel, Order(0));
    m.pages.free(page, Order(0));
    CHECK(m.log.count("BUG: sleeping function called") != 0);
  }
  m.pages.set_fault_parameters(
      {.probability = 100, .times = -1, .ignore_gfp_wait = false, .min_order = 0});
  CHECK(m.pages.alloc(gfp::kKernel | gfp::kNoWarn, Order(0)) == nullptr);
  m.pages.set_fault_parameters({});
  page = m.pages.alloc(gfp::kKernel, Order(0));
  REQUIRE(page != nullptr);
  m.pages.free(page, Order(0));
  CHECK(m.all_free());
}

QUARRY_TEST(LocklessPages, bits_that_contradict_each_other_are_not_served_blindly) {
  Machine m;
  if (!m.lockless) return;
  for (uint32_t bits = 0; bits != 32; ++bits) {
    for (int round = 0; round != 2; ++round) {  // the second time a stack may have something
      Page* page = m.pages.alloc(gfp::kKernel | Gfp(bits), Order(0));
      REQUIRE(page != nullptr);
      CHECK(m.pages.zone_of(m.map.pfn(page)).type <= gfp_zone(Gfp(bits)));
      m.pages.free(page, Order(0));
    }
  }
  CHECK(m.all_free());
}

}  // namespace
}  // namespace quarry
