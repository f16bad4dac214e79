// SPDX-License-Identifier: MIT

// Sums, invariants and locks of all nodes.

#include "kmem/slub/free_links.h"
#include "kmem/slub/slub.h"

namespace quarry {

SlabCounts Slub::node_counts(const KmemCache& cache, NodeId id) const {
  SlubNode& node = node_of(cache, static_cast<unsigned>(id.value()));
  LockGuard guard(node.lock);
  return {.slabs = node.nr_slabs,
          .pages = node.nr_pages,
          .total_objects = node.total_objects,
          .free_in_partial = node.free_objects,
          .partial_slabs = node.nr_partial};
}

size_t Slub::taken_from_partial(const KmemCache& cache, NodeId id) const {
  SlubNode& node = node_of(cache, static_cast<unsigned>(id.value()));
  LockGuard guard(node.lock);
  size_t taken = 0;
  node.partial.for_each(*map_, [&](const Page& slab) { taken += slab.inuse; });
  return taken;
}

// The slab's free list has as many objects as it should, each at an object's place.
static bool freelist_is_sound(const KmemCache& cache, const PageMap& map, const SlabPage& slab,
                              TextSink& out) {
  const auto* base = static_cast<const unsigned char*>(map.address(&slab));
  uint32_t length = 0;
  for (auto* object = static_cast<const unsigned char*>(slab.freelist); object != nullptr;) {
    const auto offset = static_cast<size_t>(object - base) - slot_layout(cache).red_left;
    if (offset >= kPageBytes << slab.order || offset % cache.size != 0) {
      format(out, "%s: Freechain corrupt: 0x%p\n", cache.name, static_cast<const void*>(object));
      return false;
    }
    if (++length > slab.objects) break;
    object =
        static_cast<const unsigned char*>(load_link(cache, const_cast<unsigned char*>(object)));
  }
  if (length == slab.free_objects()) return true;
  format(out, "%s: Wrong object count. Counter is %u but counted were %u\n", cache.name, slab.inuse,
         slab.objects - length);
  return false;
}

bool Slub::validate_node(const KmemCache& cache, unsigned id, TextSink& out) const {
  SlubNode& node = node_of(cache, id);
  LockGuard guard(node.lock);
  uint32_t slabs = 0;
  uint32_t before = 0;
  size_t free_objects = 0;
  bool sound = true;
  for (uint32_t pfn = node.partial.first; pfn != 0 && sound;
       pfn = map_->page(Pfn(pfn))->link_next) {
    const Page& page = *map_->page(Pfn(pfn));
    const auto& slab = static_cast<const SlabPage&>(page);
    sound = (page.flags & (QUARRY_PAGE_SLAB | QUARRY_PAGE_TAIL)) == QUARRY_PAGE_SLAB &&
            page.cache == cache.number && page.node == id && page.link_prev == before &&
            slab.inuse < slab.objects && slabs++ < node.nr_partial &&
            freelist_is_sound(cache, *map_, slab, out);
    if (!sound) format(out, "%s: slab at frame 0x%x is not in order\n", cache.name, pfn);
    free_objects += slab.free_objects();
    before = pfn;
  }
  uint32_t full = 0;
  node.full.for_each(*map_, [&](const Page& slab) {
    full += slab.cache == cache.number && slab.inuse == slab.objects ? 1 : 0;
  });
  if (lists_full_slabs(cache) && slabs + full != node.nr_slabs) {
    format(out, "%s: node %u: %u slabs, but lists have %u partial and %u full ones\n", cache.name,
           id, node.nr_slabs, slabs, full);
    sound = false;
  }
  if (sound && (slabs != node.nr_partial || before != node.partial.last ||
                free_objects != node.free_objects || node.nr_partial > node.nr_slabs)) {
    format(out, "%s: node %u: %u partial slabs with %zu free, counted %u with %zu\n", cache.name,
           id, node.nr_partial, node.free_objects, slabs, free_objects);
    sound = false;
  }
  return sound;
}

bool Slub::validate(const KmemCache& cache, TextSink& out) const {
  bool sound = true;
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    if (!validate_node(cache, id, out)) sound = false;
  }
  return sound;
}

void Slub::lock_all(KmemCache& cache) QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  for (unsigned id = 0; id != pages_->node_count(); ++id) node_of(cache, id).lock.lock_nested();
}

void Slub::unlock_all(KmemCache& cache) QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  for (unsigned id = pages_->node_count(); id-- != 0;) node_of(cache, id).lock.unlock();
}

}  // namespace quarry
