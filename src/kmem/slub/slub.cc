// SPDX-License-Identifier: MIT

#include "kmem/slub/slub.h"

namespace quarry {

void Slub::append(SlubNode& node, SlabPage& slab) {
  const uint32_t pfn = map_->pfn(&slab).value();
  slab.link_prev = node.last;
  slab.link_next = 0;
  (node.last == 0 ? node.first : map_->page(Pfn(node.last))->link_next) = pfn;
  node.last = pfn;
  ++node.nr_partial;
}

void Slub::remove(SlubNode& node, SlabPage& slab) {
  (slab.link_prev == 0 ? node.first : map_->page(Pfn(slab.link_prev))->link_next) = slab.link_next;
  (slab.link_next == 0 ? node.last : map_->page(Pfn(slab.link_next))->link_prev) = slab.link_prev;
  --node.nr_partial;
}

// As many free objects of the slab as are wanted, in the order of its free list.
uint32_t Slub::take_from(const KmemCache& cache, SlabPage& slab, std::span<void*> objects) {
  uint32_t count = 0;
  void* object = slab.freelist;
  while (object != nullptr && count != objects.size()) {
    objects[count++] = object;
    object = *link_in(cache, object);
  }
  slab.freelist = object;
  slab.inuse = static_cast<uint16_t>(slab.inuse + count);
  return count;
}

// From the partial list, slab after slab.
uint32_t Slub::take(KmemCache& cache, SlubNode& node, std::span<void*> objects) {
  uint32_t count = 0;
  const Page* corrupt = nullptr;
  {
    LockGuard guard(node.lock);
    while (node.first != 0 && count != objects.size() && corrupt == nullptr) {
      SlabPage& slab = SlabPage::of(*map_->page(Pfn(node.first)));
      const uint32_t taken = take_from(cache, slab, objects.subspan(count));
      node.free_objects -= taken;
      count += taken;
      if (taken == 0) {
        // Somebody wrote into a free object. What is left of the slab is never handed out.
        node.free_objects -= slab.free_objects();
        slab.inuse = slab.objects;
        corrupt = &slab;
      }
      if (slab.inuse == slab.objects) remove(node, slab);
    }
  }
  if (corrupt != nullptr) {
    kmem_->report_object(cache, map_->address(corrupt), "Freechain corrupt");
    if (count == 0) return take(cache, node, objects);
  }
  return count;
}

// Before a new slab is made: from another node that has more partial slabs than it should keep.
uint32_t Slub::take_remote(KmemCache& cache, NodeId home, std::span<void*> objects) {
  const auto nodes = static_cast<int>(pages_->node_count());
  for (int i = 1; i < nodes; ++i) {
    SlubNode& node = node_of(cache, static_cast<unsigned>((home.value() + i) % nodes));
    {
      LockGuard guard(node.lock);
      if (node.nr_partial <= cache.min_partial) continue;
    }
    if (const uint32_t count = take(cache, node, objects)) return count;
  }
  return 0;
}

uint32_t Slub::alloc(KmemCache& cache, Gfp gfp, NodeId node, std::span<void*> objects) {
  const NodeId home = node == kNoNode ? pages_->local_node() : node;
  uint32_t count = take(cache, node_of(cache, static_cast<unsigned>(home.value())), objects);
  if (count != 0) return count;
  if (!any(gfp, gfp::kThisNode)) {
    // The wish for a node is worth a slab there. One elsewhere, for each wish, would not be: Linux
    // 6.12.
    if (node != kNoNode) {
      const Gfp light = (gfp & ~(gfp::kDirectReclaim | gfp::kNoFail)) | gfp::kNoWarn;
      count = grow(cache, light | gfp::kThisNode, node, objects);
    }
    if (count == 0) count = take_remote(cache, home, objects);
    if (count != 0) return count;
  }
  return grow(cache, gfp, node, objects);
}

// Takes a slab without users out of the sums.
void Slub::discount_empty(SlubNode& node, const SlabPage& slab) {
  const Order order(slab.order);
  node.free_objects -= slab.objects;
  node.total_objects -= slab.objects;
  node.nr_pages -= order.pages();
  --node.nr_slabs;
  kmem_->sub_slab_pages(order.pages());
}

// True: the slab is out of the list and shall be given up by the caller.
bool Slub::put_locked(KmemCache& cache, SlubNode& node, SlabPage& slab, void* object) {
  const bool was_full = slab.inuse == slab.objects;
  *link_in(cache, object) = slab.freelist;
  slab.freelist = object;
  --slab.inuse;
  ++node.free_objects;
  if (slab.inuse == 0 && node.nr_partial >= cache.min_partial) {
    if (!was_full) remove(node, slab);
    discount_empty(node, slab);
    return true;
  }
  if (was_full) append(node, slab);
  return false;
}

void Slub::free(KmemCache& cache, std::span<void* const> objects) {
  size_t next = 0;
  while (next != objects.size()) {
    // All objects in a row whose slabs are of one node, until a slab becomes empty.
    SlabPage* empty = nullptr;
    const void* freed_twice = nullptr;
    const unsigned node_id = map_->page_of(objects[next])->node;
    SlubNode& node = node_of(cache, node_id);
    {
      LockGuard guard(node.lock);
      while (next != objects.size() && empty == nullptr && freed_twice == nullptr) {
        void* object = objects[next];
        Page* page = map_->page_of(object);
        if (page->node != node_id) break;
        ++next;
        SlabPage& slab = SlabPage::of(*compound_head(*map_, page));
        if (slab.freelist == object || slab.inuse == 0) {
          freed_twice = object;
        } else if (put_locked(cache, node, slab, object)) {
          empty = &slab;
        }
      }
    }
    if (empty != nullptr) give_up(*empty);
    if (freed_twice != nullptr) {
      kmem_->report_object(cache, freed_twice, "Object already free");
    }
  }
}

void Slub::shrink(KmemCache& cache) {
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    SlubNode& node = node_of(cache, id);
    uint32_t chain = 0;
    {
      LockGuard guard(node.lock);
      for (uint32_t pfn = node.first; pfn != 0;) {
        SlabPage& slab = SlabPage::of(*map_->page(Pfn(pfn)));
        const uint32_t following = slab.link_next;
        if (slab.inuse == 0) {
          remove(node, slab);
          discount_empty(node, slab);
          slab.link_next = chain;
          chain = pfn;
        }
        pfn = following;
      }
    }
    while (chain != 0) {
      SlabPage& slab = SlabPage::of(*map_->page(Pfn(chain)));
      chain = slab.link_next;
      give_up(slab);
    }
  }
}

}  // namespace quarry
