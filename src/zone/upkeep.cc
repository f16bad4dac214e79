// SPDX-License-Identifier: MIT
// Over all zones at once: draining, stopping, checking, showing.
#include "zone/page_allocator.h"

namespace quarry {

NodeId PageAllocator::local_node_of_many() const {
  if (stack_table_.lockless()) {
    const auto cpu = static_cast<unsigned>(Arch::cpu_id());
    if (cpu < cpu_count_) return NodeId(home_[cpu]);
  }
  return NodeId(home_[platform_->current_cpu().value()]);
}

uint64_t PageAllocator::managed_pages() const {
  uint64_t sum = 0;
  for (const Zone& zone : zones()) sum += zone.managed;
  return sum;
}

uint64_t PageAllocator::free_pages() const {
  uint64_t sum = 0;
  for (const Zone& zone : zones()) {
    if (!zone.populated()) continue;
    sum += static_cast<uint64_t>(zone.free_pages());
    for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) sum += zone.stacks.count(CpuId(cpu));
  }
  return sum;
}

bool PageAllocator::has_zone(ZoneType type) const {
  for (const Zone& zone : zones()) {
    if (zone.type == type && zone.managed != 0) return true;
  }
  return false;
}

void PageAllocator::drain_all() {
  if (stack_table_.lockless()) {
    LockGuard guard(drain_lock_);
    const StoppedArrays stopped(stack_table_);
    if (stopped.at_rest()) empty_stacks();
  } else {
    empty_stacks();
  }
}

void PageAllocator::drain_local() {
  void* block[PageStacks::kMostRefill];
  for (Zone& zone : zones()) {
    if (!zone.populated()) continue;
    for (uint8_t i = 0; i != kPcpOrders * kPcpTypes; ++i) {
      const Order order = pcp_order(i / kPcpTypes);
      CpuArrays& stack = zone.stacks.arrays(order, MigrateType(i % kPcpTypes));
      while (const uint32_t count = stack.pop_many(block)) {
        free_to_zone(zone, std::span(block, count), order);
      }
    }
  }
}

void PageAllocator::empty_stacks() {
  for (Zone& zone : zones()) {
    if (!zone.populated()) continue;
    zone.stacks.take_all(
        [this, &zone](std::span<void*> blocks, Order order) { free_to_zone(zone, blocks, order); });
  }
}

void PageAllocator::set_fault_parameters(const FaultParameters& parameters) {
  fault_.set_parameters(parameters);
  LockGuard guard(drain_lock_);
  stack_table_.enable(wants_stacks());
}

void PageAllocator::set_zeroing(bool on_alloc, bool on_free) {
  zero_on_alloc_ = on_alloc;
  zero_on_free_ = on_free;
  LockGuard guard(drain_lock_);
  stack_table_.enable(wants_stacks());
}

// The analysis cannot follow a number of locks that is known at run time only.
void PageAllocator::lock_all() {
  const unsigned long irq_state = Arch::irq_save();
  drain_lock_.lock();
  // Where no lock keeps another thread from its CPU's stacks, stacks that are off do.
  stack_table_.stop();
  for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) cpu_locks_[cpu].lock_nested();
  for (Zone& zone : zones()) zone.lock.lock_nested();
  lock_all_irq_state_ = irq_state;
}

void PageAllocator::unlock_all() {
  const unsigned long irq_state = lock_all_irq_state_;
  for (Zone& zone : zones()) zone.lock.unlock();
  for (unsigned cpu = 0; cpu != cpu_count_; ++cpu) cpu_locks_[cpu].unlock();
  stack_table_.resume();
  drain_lock_.unlock();
  Arch::irq_restore(irq_state);
}

// Lists and stacks against what the descriptors say.
bool PageAllocator::validate_zone(const Zone& zone, TextSink& out) const {
  {
    LockGuard guard(zone.lock);
    if (!zone.buddy.validate(&out, &fresh_)) return false;
  }
  uint64_t stacked = 0;
  bool sound = true;
  zone.stacks.for_each([&](const Page& page, Order order) {
    stacked += order.pages();
    sound = sound && (page.flags & ~uint32_t{QUARRY_PAGE_ZEROED}) == QUARRY_PAGE_PCP &&
            page.order == order.value() && page._refcount == 0 &&
            &zone_of(map_.pfn(&page)) == &zone;
  });
  if (!sound) {
    format(out, "a CPU stack of node %d zone %s holds a block that is not marked so\n", zone.node,
           zone.name());
    return false;
  }
  const Census census = count_pages(zone);
  const auto free = static_cast<uint64_t>(zone.free_pages());
  if (census.managed != zone.managed || census.free != free || census.stacked != stacked) {
    format(out, "node %d zone %s: managed %u, free %u, in CPU stacks %u pages; by descriptors ",
           zone.node, zone.name(), zone.managed, free, stacked);
    format(out, "%u, %u, %u\n", census.managed, census.free, census.stacked);
    return false;
  }
  return true;
}

PageAllocator::Census PageAllocator::count_pages(const Zone& zone) const {
  Census census{};
  for (Pfn pfn = zone.start; pfn < zone.end;) {
    if (!map_.valid(pfn) || &zone_of(pfn) != &zone) {
      pfn = pfn.align_down(Order(kPageblockOrder)) + kPageblockPages;
      continue;
    }
    const Page& page = *map_.page(pfn);
    const bool free = has_flag(page, QUARRY_PAGE_BUDDY);
    const bool stacked = has_flag(page, QUARRY_PAGE_PCP);
    const uint32_t pages = free || stacked ? Order(page.order).pages() : 1;
    if (free) census.free += pages;
    if (stacked) census.stacked += pages;
    if (!has_flag(page, QUARRY_PAGE_RESERVED)) census.managed += pages;
    pfn += pages;
  }
  return census;
}

bool PageAllocator::validate(TextSink* sink) const {
  FixedText<1> nothing;
  TextSink& out = sink != nullptr ? *sink : nothing;
  for (const Zone& zone : zones()) {
    if (zone.populated() && !validate_zone(zone, out)) return false;
  }
  return true;
}

}  // namespace quarry
