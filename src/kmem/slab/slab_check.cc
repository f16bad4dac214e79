// SPDX-License-Identifier: MIT

// Sums, invariants and locks of all nodes.

#include "kmem/slab/slab.h"

namespace quarry {

SlabCounts Slab::node_counts(const KmemCache& cache, NodeId id) const {
  const auto owner = static_cast<unsigned>(id.value());
  SlabCounts counts;
  {
    SlabNode& node = node_of(cache, owner);
    LockGuard guard(node.lock);
    counts.slabs = node.total_slabs;
    counts.free_slabs = node.free_slabs;
    counts.free_in_partial = node.free_objects;
    counts.shared_objects = node.shared_count;
  }
  for (unsigned from = 0; aliens_ && from != nodes_; ++from) {
    AlienArray& alien = alien_of(cache, from, owner);
    LockGuard guard(alien.lock);
    counts.alien_objects += alien.count;
  }
  counts.pages = counts.slabs * cache.order.pages();
  counts.total_objects = counts.slabs * cache.objects;
  return counts;
}

bool Slab::is_free(const SlabState& state, const IndexedSlab& slab, uint32_t index) {
  for (uint32_t i = slab.active(); i != state.plan.objects; ++i) {
    if (slab.list()[i] == index) return true;
  }
  return false;
}

// The free part of the list has each number at most once, and only numbers of objects.
static bool list_is_sound(const SlabPlan& plan, const IndexedSlab& slab) {
  uint32_t seen[(kMaxSlabObjects + 31) / 32] = {};
  for (uint32_t i = slab.active(); i < plan.objects; ++i) {
    const uint32_t index = slab.list()[i];
    if (index >= plan.objects) return false;
    uint32_t& word = seen[index / 32];
    const uint32_t bit = 1u << index % 32;
    if ((word & bit) != 0) return false;
    word |= bit;
  }
  return true;
}

// Whether the object counts as taken from a slab of this cache on that node.
bool Slab::may_wait(const KmemCache& cache, const void* object, unsigned id) const {
  const Page* page = map_->page_of(object);
  if (page == nullptr || page->cache != cache.number || page->node != id) return false;
  const SlabState& state = state_of(cache);
  const IndexedSlab& slab = slab_of(object);
  const auto offset =
      static_cast<uint32_t>(static_cast<const unsigned char*>(object) - first_slot(state, slab));
  return offset % cache.size == 0 && !is_free(state, slab, offset / cache.size);
}

// Of the node, and with as much in use as its list says.
bool Slab::slab_is_sound(const KmemCache& cache, unsigned id, const Page& page) const {
  const SlabPlan& plan = state_of(cache).plan;
  return (page.flags & (QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL)) == QUARRY_PAGE_SLAB &&
         page.cache == cache.number && page.node == id && page.inuse <= plan.objects &&
         (page.freelist == nullptr) ==
             (plan.place == FreelistPlace::kObject && page.inuse == plan.objects) &&
         list_is_sound(plan, static_cast<const IndexedSlab&>(page));
}

// Adds the slabs of one list up.
bool Slab::count_list(const KmemCache& cache, unsigned id, const SlabList& list, SlabSums& sums,
                      TextSink& out) const {
  uint32_t before = 0;
  for (uint32_t frame = list.first; frame != 0; frame = map_->page(Pfn(frame))->link_next) {
    const Page& page = *map_->page(Pfn(frame));
    if (page.link_prev != before || !slab_is_sound(cache, id, page)) {
      format(out, "%s: slab at frame 0x%x is not in order\n", cache.name, frame);
      return false;
    }
    sums.free_objects += cache.objects - page.inuse;
    ++sums.slabs;
    before = frame;
  }
  if (before != list.last) {
    format(out, "%s: a list of node %u ends at frame 0x%x and not at 0x%x\n", cache.name, id,
           before, list.last);
  }
  return before == list.last;
}

bool Slab::validate_node(const KmemCache& cache, unsigned id, TextSink& out) const {
  SlabNode& node = node_of(cache, id);
  LockGuard guard(node.lock);
  SlabSums partial;
  SlabSums full;
  SlabSums free;
  if (!count_list(cache, id, node.partial, partial, out) ||
      !count_list(cache, id, node.full, full, out) ||
      !count_list(cache, id, node.free, free, out)) {
    return false;
  }
  const size_t objects = cache.objects;
  if (partial.slabs + full.slabs + free.slabs != node.total_slabs ||
      free.slabs != node.free_slabs || free.free_objects != free.slabs * objects ||
      full.free_objects != 0 || partial.free_objects < partial.slabs ||
      partial.free_objects > partial.slabs * (objects - 1) ||
      partial.free_objects + free.free_objects != node.free_objects ||
      node.shared_count > node.shared_limit) {
    format(out, "%s: node %u: %u slabs, %u free, %zu objects free; lists have %u + %u + %u, %zu\n",
           cache.name, id, node.total_slabs, node.free_slabs, node.free_objects, partial.slabs,
           full.slabs, free.slabs, partial.free_objects + free.free_objects);
    return false;
  }
  for (uint32_t i = 0; i != node.shared_count; ++i) {
    if (may_wait(cache, node.shared()[i], id)) continue;
    format(out, "%s: shared array of node %u holds 0x%p\n", cache.name, id, node.shared()[i]);
    return false;
  }
  return true;
}

bool Slab::validate_alien(const KmemCache& cache, unsigned from, unsigned owner,
                          TextSink& out) const {
  AlienArray& alien = alien_of(cache, from, owner);
  LockGuard guard(alien.lock);
  for (uint32_t i = 0; i != alien.count; ++i) {
    if (from != owner && may_wait(cache, alien.slot[i], owner)) continue;
    format(out, "%s: alien array of node %u for node %u holds 0x%p\n", cache.name, from, owner,
           alien.slot[i]);
    return false;
  }
  return true;
}

bool Slab::validate(const KmemCache& cache, TextSink& out) const {
  bool sound = true;
  for (unsigned id = 0; id != nodes_; ++id) {
    if (!validate_node(cache, id, out)) sound = false;
    for (unsigned owner = 0; aliens_ && owner != nodes_; ++owner) {
      if (!validate_alien(cache, id, owner, out)) sound = false;
    }
  }
  return sound;
}

void Slab::lock_all(KmemCache& cache) QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  for (unsigned i = 0; aliens_ && i != nodes_ * nodes_; ++i) {
    alien_of(cache, 0, i).lock.lock_nested();
  }
  for (unsigned id = 0; id != nodes_; ++id) node_of(cache, id).lock.lock_nested();
}

void Slab::unlock_all(KmemCache& cache) QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  for (unsigned id = nodes_; id-- != 0;) node_of(cache, id).lock.unlock();
  for (unsigned i = aliens_ ? nodes_ * nodes_ : 0; i-- != 0;) alien_of(cache, 0, i).lock.unlock();
}

}  // namespace quarry
