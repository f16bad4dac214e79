// SPDX-License-Identifier: MIT
#include "zone/page_stacks.h"

namespace quarry {

namespace {

constexpr uint32_t kMostBlocks = 512;

}  // namespace

// The stack of an order and type holds half of what Linux lets all lists of the CPU together have,
// and at least two refills.
uint16_t PageStacks::capacity(uint32_t batch, uint32_t high, Order order) {
  const uint32_t blocks = high >> (order.value() + 1);
  const uint32_t least = 2 * refill_count(batch, order);
  const uint32_t wanted = blocks < least ? least : blocks;
  return static_cast<uint16_t>(wanted < kMostBlocks ? wanted : kMostBlocks);
}

size_t PageStacks::cpu_bytes(uint32_t batch, uint32_t high, unsigned cpus) {
  size_t bytes = 0;
  for (uint8_t order = 0; order != kPcpOrders; ++order) {
    bytes += kPcpTypes * CpuArrays::array_bytes(capacity(batch, high, Order(order)), cpus);
  }
  return round_up(bytes, Arch::kCacheLineBytes);
}

void PageStacks::init(CpuArrayTable& table, uintptr_t offset, uint32_t batch, uint32_t high) {
  batch_ = batch;
  high_ = high;
  for (uint8_t order = 0; order != kPcpOrders; ++order) {
    const uint16_t blocks = capacity(batch, high, Order(order));
    for (unsigned type = 0; type != kPcpTypes; ++type) {
      arrays_[order][type].init(table, offset, blocks);
      offset_[order][type] = static_cast<uint32_t>(offset);
      offset += CpuArrays::array_bytes(blocks, table.cpus());
    }
  }
}

uint32_t PageStacks::count(CpuId cpu) const {
  uint32_t pages = 0;
  for (unsigned order = 0; order != kPcpOrders; ++order) {
    for (const CpuArrays& arrays : arrays_[order]) pages += arrays.count(cpu) << order;
  }
  return pages;
}

}  // namespace quarry
