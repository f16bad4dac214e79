// SPDX-License-Identifier: MIT
#pragma once

// A zone's free pages that CPUs keep for themselves: for each CPU a stack of blocks for each
// migrate type that requests name and each order up to 3, and of huge pages where those are smaller
// than the largest block (Linux: per_cpu_pageset, with CONFIG_TRANSPARENT_HUGEPAGE). Entries are
// the first pages of blocks, marked PCP. They count as used in the zone's free_pages.
//
// The stacks of all zones lie in one table.

#include "sync/cpu_arrays.h"
#include "zone/buddy.h"

namespace quarry {

inline constexpr Order kMaxPcpOrder{3};  // Linux: PAGE_ALLOC_COSTLY_ORDER
inline constexpr Order kHugeOrder{kPageblockOrder};
inline constexpr bool kKeepsHugePages = kHugeOrder < kMaxOrder;

// Stacks are numbered by their order; that of huge pages comes last.
inline constexpr unsigned kSmallPcpOrders = kMaxPcpOrder.value() + 1u;
inline constexpr unsigned kPcpOrders = kSmallPcpOrders + (kKeepsHugePages ? 1 : 0);
constexpr bool is_pcp_order(Order order) {
  return order <= kMaxPcpOrder || (kKeepsHugePages && order == kHugeOrder);
}
constexpr unsigned pcp_index(Order order) {
  return order <= kMaxPcpOrder ? order.value() : kSmallPcpOrders;
}
constexpr Order pcp_order(unsigned index) {
  return index < kSmallPcpOrders ? Order(index) : kHugeOrder;
}

class PageStacks {
 public:
  // What init() needs of each CPU's part of the table.
  static size_t cpu_bytes(uint32_t batch, uint32_t high, unsigned cpus);
  void init(CpuArrayTable& table, uintptr_t offset, uint32_t batch, uint32_t high);
  void set_high(uint32_t high) { high_ = high; }

  // For the fast path: where in the table the arrays of that order and type lie.
  uint32_t offset(Order order, MigrateType type) const {
    return offset_[pcp_index(order)][static_cast<unsigned>(type)];
  }
  CpuArrays& arrays(Order order, MigrateType type) {
    return arrays_[pcp_index(order)][static_cast<unsigned>(type)];
  }

  // Blocks fetched or given back at once; at most kMostRefill, because a batch is at most 63.
  static constexpr uint32_t kMostRefill = 64;
  static constexpr uint32_t refill_count(uint32_t batch, Order order) {
    return batch >> order.value() > 2 ? batch >> order.value() : 2;
  }
  uint32_t refill_count(Order order) const { return refill_count(batch_, order); }

  // As zoneinfo shows them. `count` in pages; exact only while nobody uses the stacks.
  uint32_t batch() const { return batch_; }
  uint32_t high() const { return high_; }
  uint32_t count(CpuId cpu) const;

  // Calls `take(span<void*> blocks, Order)` for everything in the stacks; see
  // CpuArrays::take_all().
  template <class Take>
  void take_all(Take&& take) {
    for (unsigned i = 0; i != kPcpOrders; ++i) {
      for (CpuArrays& arrays : arrays_[i]) {
        arrays.take_all([&](std::span<void*> blocks) { take(blocks, pcp_order(i)); });
      }
    }
  }
  // Calls `visit(Page&, Order)`; nobody may use the stacks.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (unsigned i = 0; i != kPcpOrders; ++i) {
      for (const CpuArrays& arrays : arrays_[i]) {
        arrays.for_each(
            [&](CpuId, void* entry) { visit(*static_cast<Page*>(entry), pcp_order(i)); });
      }
    }
  }

 private:
  static uint16_t capacity(uint32_t batch, uint32_t high, Order order);

  uint32_t offset_[kPcpOrders][kPcpTypes] = {};
  CpuArrays arrays_[kPcpOrders][kPcpTypes] = {};
  uint32_t batch_ = 0;
  uint32_t high_ = 0;
};

}  // namespace quarry
