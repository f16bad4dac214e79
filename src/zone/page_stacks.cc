// SPDX-License-Identifier: MIT
#include "zone/page_stacks.h"

namespace quarry {

namespace {

constexpr uint32_t kMostBlocks = 256;

}  // namespace

// Blocks of each of the two stacks of an array: together the arrays of an order and type hold half
// of what Linux lets all lists of the CPU together have, and at least one refill.
uint16_t PageStacks::capacity(uint32_t batch, uint32_t high, Order order) {
  const uint32_t blocks = high >> (order.value() + 2);
  const uint32_t least = refill_count(batch, order);
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

uint64_t PageStacks::memory_bytes(uint32_t batch, uint32_t high, unsigned cpus) {
  return uint64_t{cpu_bytes(batch, high, cpus)} * (cpus + 1);
}

void PageStacks::init(const ArrayCpus& cpus, void* memory, uint32_t batch, uint32_t high) {
  batch_ = batch;
  high_ = high;
  const size_t stride = cpu_bytes(batch, high, cpus.count());
  auto* next = static_cast<unsigned char*>(memory);
  for (uint8_t order = 0; order != kPcpOrders; ++order) {
    const uint16_t blocks = capacity(batch, high, Order(order));
    for (unsigned type = 0; type != kPcpTypes; ++type) {
      arrays_[order][type].init(cpus, hot_[order][type], next, stride, blocks);
      next += CpuArrays::array_bytes(blocks, cpus.count());
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

void PageStacks::turn_off() {
  for (auto& types : arrays_) {
    for (CpuArrays& arrays : types) arrays.turn_off();
  }
}

void PageStacks::turn_on() {
  for (auto& types : arrays_) {
    for (CpuArrays& arrays : types) arrays.turn_on();
  }
}

}  // namespace quarry
