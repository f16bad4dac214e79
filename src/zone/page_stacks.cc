// SPDX-License-Identifier: MIT
#include "zone/page_stacks.h"

namespace quarry {

namespace {

constexpr uint32_t kMostBlocks = 512;

}  // namespace

// The stack of an order and type holds half of what Linux lets all lists of the CPU together have,
// and at least two refills; of huge pages only as many as they may have in pages.
uint16_t PageStacks::capacity(uint32_t batch, uint32_t high, Order order) {
  const uint32_t blocks = high >> (order.value() + 1);
  if (order > kMaxPcpOrder) {
    return static_cast<uint16_t>(blocks != 0 ? blocks : high >> order.value());
  }
  const uint32_t least = 2 * refill_count(batch, order);
  const uint32_t wanted = blocks < least ? least : blocks;
  return static_cast<uint16_t>(wanted < kMostBlocks ? wanted : kMostBlocks);
}

size_t PageStacks::cpu_bytes(uint32_t batch, uint32_t high, unsigned cpus) {
  size_t bytes = 0;
  for (unsigned i = 0; i != kPcpOrders; ++i) {
    bytes += kPcpTypes * CpuArrays::array_bytes(capacity(batch, high, pcp_order(i)), cpus);
  }
  return round_up(bytes, Arch::kCacheLineBytes);
}

void PageStacks::init(CpuArrayTable& table, uintptr_t offset, uint32_t batch, uint32_t high) {
  batch_ = batch;
  high_ = high;
  for (unsigned i = 0; i != kPcpOrders; ++i) {
    const uint16_t blocks = capacity(batch, high, pcp_order(i));
    for (unsigned type = 0; type != kPcpTypes; ++type) {
      arrays_[i][type].init(table, offset, blocks);
      offset_[i][type] = static_cast<uint32_t>(offset);
      offset += CpuArrays::array_bytes(blocks, table.cpus());
    }
  }
}

uint32_t PageStacks::count(CpuId cpu) const {
  uint32_t pages = 0;
  for (unsigned i = 0; i != kPcpOrders; ++i) {
    for (const CpuArrays& arrays : arrays_[i]) pages += arrays.count(cpu) << pcp_order(i).value();
  }
  return pages;
}

}  // namespace quarry
