// SPDX-License-Identifier: MIT

// Slabs from pages and back.

#include "gfp/gfp_names.h"
#include "kmem/slab/slab.h"
#include "kmem/slab_frames.h"

namespace quarry {

// False: no memory for it.
bool Slab::place_freelist(const SlabState& state, IndexedSlab& slab, Gfp gfp, NodeId node) {
  auto* base = static_cast<unsigned char*>(map_->address(&slab));
  const uint32_t list_bytes = state.plan.objects * uint32_t{sizeof(SlabIndex)};
  switch (state.plan.place) {
    case FreelistPlace::kObject:
      slab.freelist = first_slot(state, slab) +
                      (state.plan.objects - size_t{1}) * state.plan.slot_bytes +
                      state.plan.object_offset;
      break;
    case FreelistPlace::kOffSlab:
      slab.freelist = kmem_->kmalloc_node(list_bytes, gfp, node, 0);
      break;
    case FreelistPlace::kOnSlab:
      slab.freelist = base + (kPageBytes << state.plan.order) - list_bytes;
      break;
  }
  return slab.freelist != nullptr;
}

uint32_t Slab::grow(KmemCache& cache, Gfp gfp, NodeId node, std::span<void*> objects) {
  const SlabState& state = state_of(cache);
  const Gfp bits = kmem_->without_bug_bits(gfp) & (gfp::kReclaimMask | gfp::kConstraintMask);
  Page* page = pages_->alloc(bits | cache.page_gfp, cache.order, node);
  if (page == nullptr) {
    report_out_of_memory(cache, gfp, node);
    return 0;
  }
  const unsigned owner = pages_->node_of(map_->pfn(page));
  SlabNode& home = node_of(cache, owner);
  auto& slab = static_cast<IndexedSlab&>(*page);
  {
    LockGuard guard(home.lock);
    if (++home.colour_next >= state.plan.colours) home.colour_next = 0;
    slab.set_colour(home.colour_next);
  }
  if (!place_freelist(state, slab, bits, NodeId(static_cast<int>(owner)))) {
    slab.set_colour(0);
    pages_->free(page, cache.order);
    return 0;
  }
  claim_slab_frames(*map_, *page, cache.order, cache, owner);
  slab.set_active(0);
  fill(cache, slab);
  // A CPU's array is for objects of its own node.
  if (owner != static_cast<unsigned>(pages_->local_node().value())) objects = objects.first(1);
  const uint32_t taken = take_from(state, slab, objects);

  kmem_->add_slab_pages(slab);
  LockGuard guard(home.lock);
  ++home.total_slabs;
  home.free_objects += cache.objects - taken;
  (taken == cache.objects ? home.full : home.partial).push_front(*map_, slab);
  return taken;
}

// All objects free, in the order of their addresses, and constructed.
void Slab::fill(KmemCache& cache, IndexedSlab& slab) {
  const SlabState& state = state_of(cache);
  SlabIndex* const list = slab.list();
  for (uint32_t i = 0; i != cache.objects; ++i) list[i] = static_cast<SlabIndex>(i);
  if (state.checked) return prepare_slots(cache, slab);
  if (cache.ctor == nullptr) return;
  unsigned char* object = first_slot(state, slab);
  for (uint32_t i = 0; i != cache.objects; ++i, object += cache.size) cache.ctor(object);
}

void Slab::give_up(KmemCache& cache, DeadSlabs dead) {
  while (dead.first != 0) {
    IndexedSlab& slab = slab_at(dead.first);
    dead.first = slab.link_next;
    if (state_of(cache).checked) check_dead(cache, slab);
    void* const list =
        state_of(cache).plan.place == FreelistPlace::kOffSlab ? slab.freelist : nullptr;
    kmem_->free_slab(cache, slab);
    if (list != nullptr) kmem_->kfree(list, uintptr_t{0});
  }
}

void Slab::report_out_of_memory(const KmemCache& cache, Gfp gfp, NodeId node) {
  Platform& platform = pages_->platform();
  if (any(gfp, gfp::kNoWarn) || !out_of_memory_limit_.allow(platform.clock_ns())) return;
  LogText out(platform);
  format(out, "SLAB: Unable to allocate memory on node %d, gfp=%#x(", node.value(), uint32_t(gfp));
  print_gfp(out, gfp);
  format(out, ")\n  cache: %s, object size: %d, order: %d\n", cache.name, cache.size,
         cache.order.value());
  for (unsigned id = 0; id != nodes_; ++id) {
    SlabNode& home = node_of(cache, id);
    LockGuard guard(home.lock);
    const size_t objects = size_t{home.total_slabs} * cache.objects;
    format(out, "  node %d: slabs: %ld/%ld, objs: %ld/%ld\n", id,
           home.total_slabs - home.free_slabs, home.total_slabs, objects - home.free_objects,
           objects);
  }
}

}  // namespace quarry
