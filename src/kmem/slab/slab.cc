// SPDX-License-Identifier: MIT

// Objects between the arrays and lists of nodes and who asks for them.

#include "kmem/slab/slab.h"

namespace quarry {

namespace {

// A CPU that has been idle since the last reaping takes no more than this at first.
constexpr size_t kUntouchedBatch = 16;

// For pages of one node, if they can be had without effort: another node has some, too.
constexpr Gfp exact_node(Gfp gfp) {
  return (gfp | gfp::kThisNode | gfp::kNoWarn) & ~(gfp::kReclaim | gfp::kNoFail);
}

}  // namespace

// The topmost ones, as far as there are any.
uint32_t Slab::take_shared(SlabNode& node, std::span<void*> objects) {
  const auto wanted = static_cast<uint32_t>(objects.size());
  const uint32_t count = wanted < node.shared_count ? wanted : node.shared_count;
  if (count == 0) return 0;
  node.shared_count -= count;
  node.shared_touched = true;
  __builtin_memcpy(objects.data(), node.shared() + node.shared_count, count * sizeof(void*));
  return count;
}

// As many objects of the slab as are wanted, in the order of its free list.
uint32_t Slab::take_from(const SlabState& state, IndexedSlab& slab, std::span<void*> objects) {
  const uint32_t active = slab.active();
  const uint32_t left = state.plan.objects - active;
  const auto count = static_cast<uint32_t>(objects.size() < left ? objects.size() : left);
  unsigned char* const first = first_slot(state, slab);
  const size_t slot_bytes = state.plan.slot_bytes;
  const SlabIndex* next = slab.list() + active;
  for (void*& object : objects.first(count)) object = first + *next++ * slot_bytes;
  slab.set_active(active + count);
  // The list lay in the object that was taken last.
  if (count == left && state.plan.place == FreelistPlace::kObject) {
    if ((state.plan.flags & QUARRY_SLAB_POISON) != 0) poison(state, objects[count - 1], false);
    slab.freelist = nullptr;
  }
  return count;
}

// From what the node has; 0: a slab has to be made.
uint32_t Slab::take(KmemCache& cache, SlabNode& node, bool shared_too, std::span<void*> objects) {
  const SlabState& state = state_of(cache);
  LockGuard guard(node.lock);
  uint32_t count = shared_too ? take_shared(node, objects) : 0;
  if (count != 0) return count;
  while (count != objects.size()) {
    const bool from_free = node.partial.first == 0;
    if (from_free) node.free_touched = true;
    SlabList& list = from_free ? node.free : node.partial;
    if (list.first == 0) break;
    IndexedSlab& slab = slab_at(list.first);
    count += take_from(state, slab, objects.subspan(count));
    const bool full = slab.active() == state.plan.objects;
    if (from_free) --node.free_slabs;
    if (from_free || full) {
      list.remove(*map_, slab);
      (full ? node.full : node.partial).push_front(*map_, slab);
    }
  }
  node.free_objects -= count;
  return count;
}

// The node that was asked has nothing to spare: what other nodes have, nearest first, then a slab
// from anywhere and with all the effort that the request allows. Of another node only one object,
// because a CPU's array is for objects of its own.
uint32_t Slab::fall_back(KmemCache& cache, Gfp gfp, NodeId local, std::span<void*> objects) {
  NodeId previous = kNoNode;
  for (const Zone* zone : pages_->node(local).zonelist(gfp)) {
    if (zone->node == previous) continue;
    previous = zone->node;
    SlabNode& node = node_of(cache, static_cast<unsigned>(previous.value()));
    if (const uint32_t count = take(cache, node, false, objects.first(1))) return count;
  }
  return grow(cache, gfp, local, objects);
}

uint32_t Slab::alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) {
  const Gfp gfp = request.gfp;
  const NodeId local = pages_->local_node();
  const NodeId home = request.node == kNoNode ? local : request.node;
  if (request.node == kNoNode && objects.size() > 1 && !touch(cache) &&
      objects.size() > kUntouchedBatch) {
    objects = objects.first(kUntouchedBatch);
  }
  SlabNode& node = node_of(cache, static_cast<unsigned>(home.value()));
  uint32_t count = take(cache, node, home == local, objects);
  if (count == 0) count = grow(cache, nodes_ == 1 ? gfp : exact_node(gfp), home, objects);
  if (count == 0 && nodes_ != 1 && !any(gfp, gfp::kThisNode)) {
    count = fall_back(cache, gfp, local, objects);
  }
  if (state_of(cache).checked) [[unlikely]] {
    for (void*& slot : objects.first(count)) slot = check_taken(cache, slot, request.place);
  }
  return count;
}

// Notes a refill. False: the first since a reaping that found the array untouched.
bool Slab::touch(const KmemCache& cache) {
  SlabCpu& cpu = cpu_of(cache, pages_->platform().current_cpu());
  const bool touched = cpu.refilled.load(std::memory_order_relaxed) ||
                       cpu.count_then.load(std::memory_order_relaxed) != 0;
  cpu.refilled.store(true, std::memory_order_relaxed);
  return touched;
}

// As many from the front as the shared array has room for.
void Slab::put_shared(SlabNode& node, std::span<void* const>& objects) {
  // It has more than it may while tunables change.
  const uint32_t room =
      node.shared_count < node.shared_limit ? node.shared_limit - node.shared_count : 0;
  const size_t count = objects.size() < room ? objects.size() : room;
  __builtin_memcpy(node.shared() + node.shared_count, objects.data(), count * sizeof(void*));
  node.shared_count += static_cast<uint32_t>(count);
  objects = objects.subspan(count);
}

// Puts those objects from the front back that lie in the slab; how many. It stops at one that is no
// object's place, and at the one that came back last.
uint32_t Slab::put_run(const SlabState& state, IndexedSlab& slab, std::span<void* const> objects) {
  unsigned char* const first = first_slot(state, slab);
  const uint32_t total = state.plan.objects;
  const uint32_t slot_bytes = state.plan.slot_bytes;
  const uint32_t before = slab.active();
  uint32_t last = before == total ? total : slab.list()[before];
  // The first to come back to a full slab holds the list from now on.
  if (slab.freelist == nullptr) {
    slab.freelist = static_cast<unsigned char*>(objects.front()) + state.plan.object_offset;
  }
  SlabIndex* const list = slab.list();
  uint32_t active = before;
  for (const void* object : objects) {
    const auto offset = static_cast<uintptr_t>(static_cast<const unsigned char*>(object) - first);
    const auto index = static_cast<uint32_t>(offset * uint64_t{state.reciprocal} >> 32);
    if (active == 0 || index >= total || index == last || index * slot_bytes != offset) break;
    list[--active] = static_cast<SlabIndex>(index);
    slab.set_active(active);
    last = index;
  }
  return before - active;
}

// Puts objects of the node's back into their slabs. One that is free already, as far as that shows,
// is reported and left alone.
void Slab::free_block(const KmemCache& cache, SlabNode& node, std::span<void* const> objects) {
  const SlabState& state = state_of(cache);
  while (!objects.empty()) {
    IndexedSlab& slab = slab_of(objects.front());
    SlabList& list = slab.active() == state.plan.objects ? node.full : node.partial;
    const uint32_t count = put_run(state, slab, objects);
    if (count == 0) {
      report_bad_free(cache, objects.front());
      objects = objects.subspan(1);
      continue;
    }
    node.free_objects += count;
    objects = objects.subspan(count);
    list.remove(*map_, slab);
    if (slab.active() == 0) {
      node.free.push_front(*map_, slab);
      ++node.free_slabs;
    } else {
      node.partial.push_back(*map_, slab);
    }
  }
}

// Takes the last free slab out of the node.
void Slab::bury_last(const KmemCache& cache, SlabNode& node, DeadSlabs& dead) {
  IndexedSlab& slab = slab_at(node.free.last);
  node.free.remove(*map_, slab);
  --node.free_slabs;
  --node.total_slabs;
  node.free_objects -= cache.objects;
  kmem_->sub_slab_pages(slab);
  slab.link_next = dead.first;
  dead.first = map_->pfn(&slab).value();
}

void Slab::trim(const KmemCache& cache, SlabNode& node, DeadSlabs& dead) {
  while (node.free_objects + node.shared_count > node.free_limit && node.free.last != 0)
    bury_last(cache, node, dead);
}

// Objects of one node; with `shared_too` that of the caller's CPU.
void Slab::put(KmemCache& cache, unsigned owner, bool shared_too, std::span<void* const> objects) {
  SlabNode& node = node_of(cache, owner);
  DeadSlabs dead;
  {
    LockGuard guard(node.lock);
    if (shared_too && node.shared_count != 0 &&
        node.shared()[node.shared_count - 1] == objects.front()) [[unlikely]] {
      report_bad_free(cache, objects.front());
      objects = objects.subspan(1);
    }
    if (shared_too) put_shared(node, objects);
    free_block(cache, node, objects);
    trim(cache, node, dead);
  }
  give_up(cache, dead);
}

// Empties an alien array: into the owner's shared array, and what has no room there into its slabs.
void Slab::drain_alien_locked(KmemCache& cache, AlienArray& alien, unsigned owner,
                              DeadSlabs& dead) {
  SlabNode& node = node_of(cache, owner);
  std::span<void* const> objects(alien.slot, alien.count);
  node.lock.lock_nested();
  put_shared(node, objects);
  free_block(cache, node, objects);
  trim(cache, node, dead);
  node.lock.unlock();
  alien.count = 0;
}

void Slab::put_alien(KmemCache& cache, unsigned from, unsigned owner,
                     std::span<void* const> objects) {
  AlienArray& alien = alien_of(cache, from, owner);
  const uint32_t limit = state_of(cache).alien_limit;
  DeadSlabs dead;
  {
    LockGuard guard(alien.lock);
    for (void* object : objects) {
      if (alien.count != 0 && alien.slot[alien.count - 1] == object) [[unlikely]] {
        report_bad_free(cache, object);
        continue;
      }
      if (alien.count == limit) drain_alien_locked(cache, alien, owner, dead);
      alien.slot[alien.count++] = object;
    }
  }
  give_up(cache, dead);
}

void Slab::put_all(KmemCache& cache, std::span<void* const> objects) {
  const auto here = static_cast<unsigned>(pages_->local_node().value());
  while (!objects.empty()) {
    const unsigned owner = map_->page_at(objects.front())->node;
    size_t run = nodes_ == 1 ? objects.size() : 1;
    while (run != objects.size() && map_->page_at(objects[run])->node == owner) ++run;
    if (owner == here || !aliens_) {
      put(cache, owner, owner == here, objects.first(run));
    } else {
      put_alien(cache, here, owner, objects.first(run));
    }
    objects = objects.subspan(run);
  }
}

void Slab::free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) {
  if (!state_of(cache).checked) [[likely]]
    return put_all(cache, objects);
  for (void* object : objects) {
    void* slot = check_given(cache, object);
    if (slot != nullptr) put_checked(cache, slot, place);
  }
}

}  // namespace quarry
