// SPDX-License-Identifier: MIT
#include "base/units.h"

#include "harness.h"

namespace {

using quarry::CpuId;
using quarry::kMaxOrder;
using quarry::kNoNode;
using quarry::NodeId;
using quarry::Order;
using quarry::Pfn;
using quarry::PhysAddr;
using quarry::VirtAddr;

template <typename A, typename B>
concept Comparable = requires(A a, B b) {
  a == b;
};
template <typename A, typename B>
concept Subtractable = requires(A a, B b) {
  a - b;
};

static_assert(Comparable<Pfn, Pfn> && !Comparable<Pfn, uint32_t> && !Comparable<Pfn, PhysAddr>);
static_assert(Subtractable<Pfn, Pfn> && !Subtractable<Pfn, PhysAddr>);
static_assert(!std::is_convertible_v<int, Order> && !std::is_convertible_v<CpuId, NodeId>);
static_assert(std::is_trivially_copyable_v<NodeId> && std::is_standard_layout_v<VirtAddr>);

static_assert(Pfn{} == quarry::kNoPfn && Pfn{3} + 4 == Pfn{7} && Pfn{7} - 4 == Pfn{3});
static_assert(Pfn{7} - Pfn{3} == 4 && Pfn{3} < Pfn{4} && (Pfn{0x10} ^ 0x8) == Pfn{0x18});
static_assert((Pfn{0x18} & ~uint32_t{0x8}) == Pfn{0x10} && (Pfn{0x10} | 0x1) == Pfn{0x11});
static_assert(Pfn{1024}.is_aligned(kMaxOrder) && !Pfn{1025}.is_aligned(Order{1}));
static_assert(Pfn{1025}.align_down(Order{3}) == Pfn{1024} &&
              Pfn{1025}.align_up(Order{3}) == Pfn{1032});
static_assert(kMaxOrder.pages() == 1024 && Order{0}.pages() == 1 && quarry::kOrderCount == 11);
static_assert(kNoNode < NodeId{0} && kNoNode.value() == -1);
static_assert(PhysAddr{0xfffff000} + 0x1000 == PhysAddr{0x100000000});
static_assert(quarry::kGiB == 1024 * quarry::kMiB && quarry::kMiB == 1024 * quarry::kKiB);

QUARRY_TEST(Units, count_like_integers) {
  Order order{0};
  uint32_t pages = 0;
  for (; order <= kMaxOrder; ++order) {
    pages += order.pages();
  }
  CHECK_EQ(pages, 2047);
  CHECK_EQ(order, kMaxOrder + 1);
  CHECK_EQ((order--).value(), 11);
  CHECK_EQ((--order).value(), 9);
  CHECK_EQ((order++).value(), 9);
  Pfn pfn{100};
  pfn += 28;
  CHECK_EQ(pfn, Pfn{128});
  pfn -= 128;
  CHECK_EQ(pfn, quarry::kNoPfn);
}

QUARRY_TEST(Units, an_address_comes_from_a_pointer_and_gives_it_back) {
  int words[4] = {10, 11, 12, 13};
  const VirtAddr address{&words[0]};
  CHECK_EQ(address.as(), static_cast<void*>(words));
  CHECK_EQ(*(address + 2 * sizeof(int)).as<int>(), 12);
  CHECK_EQ(VirtAddr{&words[3]} - address, 3 * sizeof(int));
}

}  // namespace
