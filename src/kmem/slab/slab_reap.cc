// SPDX-License-Identifier: MIT

// Giving back what lies idle: all of it, or a little at a time.

#include "kmem/slab/slab.h"

namespace quarry {

namespace {

constexpr uint64_t kNodeReapNs = 4'000'000'000;

// How many objects an idle array loses: a fifth of what it may have, or half of less than that.
constexpr uint32_t reaped_share(uint32_t limit, uint32_t count) {
  const uint32_t share = (limit + 4) / 5;
  return share > count ? (count + 1) / 2 : share;
}

}  // namespace

// The objects that are there longest.
void Slab::free_oldest_shared(const KmemCache& cache, SlabNode& node, uint32_t count) {
  free_block(cache, node, std::span(node.shared(), count));
  node.shared_count -= count;
  for (uint32_t i = 0; i != node.shared_count; ++i) node.shared()[i] = node.shared()[count + i];
}

void Slab::drain_shared(KmemCache& cache, unsigned id) {
  SlabNode& node = node_of(cache, id);
  DeadSlabs dead;
  {
    LockGuard guard(node.lock);
    free_oldest_shared(cache, node, node.shared_count);
    trim(cache, node, dead);
  }
  give_up(cache, dead);
}

void Slab::drain_alien(KmemCache& cache, unsigned from, unsigned owner) {
  AlienArray& alien = alien_of(cache, from, owner);
  DeadSlabs dead;
  {
    LockGuard guard(alien.lock);
    if (alien.count != 0) drain_alien_locked(cache, alien, owner, dead);
  }
  give_up(cache, dead);
}

void Slab::shrink(KmemCache& cache) {
  for (unsigned from = 0; aliens_ && from != nodes_; ++from) {
    for (unsigned owner = 0; owner != nodes_; ++owner) drain_alien(cache, from, owner);
  }
  for (unsigned id = 0; id != nodes_; ++id) {
    drain_shared(cache, id);
    free_slabs(cache, id, ~uint32_t{0});
  }
}

// At most that many, the last ones first.
void Slab::free_slabs(KmemCache& cache, unsigned id, uint32_t most) {
  SlabNode& node = node_of(cache, id);
  DeadSlabs dead;
  {
    LockGuard guard(node.lock);
    for (; most != 0 && node.free.last != 0; --most) bury_last(cache, node, dead);
  }
  give_up(cache, dead);
}

void Slab::reap(KmemCache& cache, CpuId cpu) {
  SlabCpu& own = cpu_of(cache, cpu);
  const auto here = static_cast<unsigned>(pages_->node_of_cpu(cpu).value());
  if (aliens_) {
    const unsigned owner = own.alien_next.load(std::memory_order_relaxed);
    drain_alien(cache, here, owner);
    own.alien_next.store(static_cast<uint8_t>((owner + 1) % nodes_), std::memory_order_relaxed);
  }
  reap_cpu_array(cache, own, cpu);
  reap_node(cache, here);
}

void Slab::reap_cpu_array(KmemCache& cache, SlabCpu& own, CpuId cpu) {
  uint32_t count = cache.cpu_arrays.count(cpu);
  if (count == 0) return;
  const bool touched = own.refilled.load(std::memory_order_relaxed) ||
                       own.count_then.load(std::memory_order_relaxed) != count;
  if (!touched) {
    void* oldest[Kmem::kArrayEntries];
    const uint32_t share = reaped_share(cache.cpu_arrays.capacity(), count);
    const uint32_t taken = kmem_->take_oldest_of(cache, cpu, std::span(oldest, share));
    count -= taken;
    put(cache, static_cast<unsigned>(pages_->node_of_cpu(cpu).value()), false,
        std::span(oldest, taken));
  }
  own.refilled.store(false, std::memory_order_relaxed);
  own.count_then.store(static_cast<uint16_t>(count), std::memory_order_relaxed);
}

void Slab::reap_node(KmemCache& cache, unsigned id) {
  SlabNode& node = node_of(cache, id);
  const uint64_t now = pages_->platform().clock_ns();
  DeadSlabs dead;
  {
    LockGuard guard(node.lock);
    if (now < node.next_reap_ns) return;
    node.next_reap_ns = now + kNodeReapNs;
    if (node.shared_count != 0 && !node.shared_touched) {
      free_oldest_shared(cache, node, reaped_share(node.shared_limit, node.shared_count));
      trim(cache, node, dead);
    }
    node.shared_touched = false;
    if (!node.free_touched) {
      const size_t fifth = 5 * size_t{cache.objects};
      for (size_t most = (node.free_limit + fifth - 1) / fifth; most != 0 && node.free.last != 0;
           --most) {
        bury_last(cache, node, dead);
      }
    }
    node.free_touched = false;
  }
  give_up(cache, dead);
}

}  // namespace quarry
