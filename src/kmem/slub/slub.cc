// SPDX-License-Identifier: MIT

#include "kmem/slub/slub.h"
#include "base/random.h"
#include "kmem/slub/free_links.h"

namespace quarry {

void Slub::append(SlubNode& node, SlabPage& slab) {
  node.partial.push_back(*map_, slab);
  ++node.nr_partial;
}

void Slub::remove(SlubNode& node, SlabPage& slab) {
  node.partial.remove(*map_, slab);
  --node.nr_partial;
}

// As many free objects of the slab as are wanted, in the order of its free list.
template <class Links>
uint32_t Slub::take_from(const Links& links, SlabPage& slab, std::span<void*> objects) {
  void* object = slab.freelist;
  // Counted up to zero, which spares the loop a comparison.
  void** const end = objects.data() + objects.size();
  ptrdiff_t left = -static_cast<ptrdiff_t>(objects.size());
  while (object != nullptr) {
    end[left] = object;
    object = links.load(object);
    if constexpr (Links::kCheckable) {
      const auto begin = reinterpret_cast<uintptr_t>(map_->address(&slab));
      if (reinterpret_cast<uintptr_t>(object) - begin >= kPageBytes << slab.order) object = nullptr;
    }
    if (++left == 0) break;
  }
  slab.freelist = object;
  const auto count = static_cast<uint32_t>(static_cast<ptrdiff_t>(objects.size()) + left);
  slab.inuse = static_cast<uint16_t>(slab.inuse + count);
  return count;
}

// From the partial list, slab after slab.
uint32_t Slub::take(KmemCache& cache, SlubNode& node, const ObjectRequest& request,
                    std::span<void*> objects) {
  if (is_debugged(cache)) return take_debugged(cache, node, request, objects);
  uint32_t count = 0;
  const Page* corrupt = nullptr;
  {
    LockGuard guard(node.lock);
    while (node.partial.first != 0 && count != objects.size() && corrupt == nullptr) {
      SlabPage& slab = SlabPage::of(*map_->page(Pfn(node.partial.first)));
      const uint32_t taken = with_links(
          cache, [&](const auto& links) { return take_from(links, slab, objects.subspan(count)); });
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
    if (count == 0) return take(cache, node, request, objects);
  }
  return count;
}

// Before a new slab is made, most of the times: from the nearest node that has more partial slabs
// than it should keep.
uint32_t Slub::take_remote(KmemCache& cache, NodeId home, const ObjectRequest& request,
                           std::span<void*> objects) {
  const uint32_t ratio = cache.remote_defrag.load(std::memory_order_relaxed);
  if (pages_->node_count() == 1 || ratio == 0) return 0;
  Random random(tuning_.seed + draws_.fetch_add(1, std::memory_order_relaxed));
  if (random.below(1024) > ratio) return 0;
  const ZoneType highest = gfp_zone(request.gfp | cache.page_gfp);
  NodeId before = home;
  for (const Zone* zone : pages_->node(home).fallback) {
    if (zone->type > highest || zone->node == before || zone->node == home) continue;
    before = zone->node;
    SlubNode& node = node_of(cache, static_cast<unsigned>(before.value()));
    {
      LockGuard guard(node.lock);
      if (node.nr_partial <= cache.min_partial.load(std::memory_order_relaxed)) continue;
    }
    if (const uint32_t count = take(cache, node, request, objects)) return count;
  }
  return 0;
}

uint32_t Slub::alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) {
  const Gfp gfp = request.gfp;
  const NodeId node = request.node;
  const NodeId home = node == kNoNode ? pages_->local_node() : node;
  SlubNode& home_node = node_of(cache, static_cast<unsigned>(home.value()));
  uint32_t count = take(cache, home_node, request, objects);
  if (count != 0) return count;
  if (!any(gfp, gfp::kThisNode)) {
    // The wish for a node is worth a slab there. One elsewhere, for each wish, would not be: Linux
    // 6.12.
    if (node != kNoNode) {
      const Gfp light = (gfp & ~(gfp::kDirectReclaim | gfp::kNoFail)) | gfp::kNoWarn;
      count = grow(cache, light | gfp::kThisNode, node, request, objects);
    }
    if (count == 0) count = take_remote(cache, home, request, objects);
    if (count != 0) return count;
  }
  return grow(cache, gfp, node, request, objects);
}

// Takes a slab without users out of the sums.
void Slub::discount_empty(SlubNode& node, const SlabPage& slab) {
  const Order order(slab.order);
  node.free_objects -= slab.objects;
  node.total_objects -= slab.objects;
  node.nr_pages -= order.pages();
  --node.nr_slabs;
  kmem_->sub_slab_pages(slab);
}

// Puts those objects from the front back that lie in the slab, as far as it misses any; how many.
// None, if the first is the first of the free list already. No object is there twice in a row.
template <class Links>
uint32_t Slub::put_run_locked(const Links& links, SlabPage& slab, std::span<void* const> objects) {
  const auto begin = reinterpret_cast<uintptr_t>(map_->address(&slab));
  const uintptr_t bytes = kPageBytes << slab.order;
  const size_t most = objects.size() < slab.inuse ? objects.size() : slab.inuse;
  void* first = slab.freelist;
  if (objects.front() == first) return 0;
  void* const* const end = objects.data() + most;
  ptrdiff_t left = -static_cast<ptrdiff_t>(most);
  for (; left != 0; ++left) {
    void* object = end[left];
    if (reinterpret_cast<uintptr_t>(object) - begin >= bytes) break;
    links.store(object, first);
    first = object;
  }
  const auto count = static_cast<uint32_t>(static_cast<ptrdiff_t>(most) + left);
  slab.freelist = first;
  slab.inuse = static_cast<uint16_t>(slab.inuse - count);
  return count;
}

// After `count` objects came back. True: the slab is out of the list and shall be given up by the
// caller.
bool Slub::has_become_empty(KmemCache& cache, SlubNode& node, SlabPage& slab, uint32_t count) {
  const bool was_full = slab.inuse + count == slab.objects;
  node.free_objects += count;
  if (slab.inuse == 0 && node.nr_partial >= cache.min_partial.load(std::memory_order_relaxed)) {
    if (!was_full) remove(node, slab);
    discount_empty(node, slab);
    return true;
  }
  if (was_full) append(node, slab);
  return false;
}

void Slub::free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) {
  if (is_debugged(cache)) return free_debugged(cache, objects, place);
  while (!objects.empty()) {
    // All objects in a row whose slabs are of one node, until a slab becomes empty.
    SlabPage* empty = nullptr;
    const void* freed_twice = nullptr;
    const unsigned node_id = map_->page_at(objects.front())->node;
    SlubNode& node = node_of(cache, node_id);
    {
      LockGuard guard(node.lock);
      while (!objects.empty() && empty == nullptr && freed_twice == nullptr) {
        Page* page = map_->page_at(objects.front());
        if (page->node != node_id) break;
        SlabPage& slab = SlabPage::of(*compound_head(*map_, page));
        const uint32_t count = with_links(
            cache, [&](const auto& links) { return put_run_locked(links, slab, objects); });
        if (count == 0) {
          freed_twice = objects.front();
          objects = objects.subspan(1);
        } else {
          if (has_become_empty(cache, node, slab, count)) empty = &slab;
          objects = objects.subspan(count);
        }
      }
    }
    if (empty != nullptr) kmem_->free_slab(cache, *empty);
    if (freed_twice != nullptr) kmem_->report_object(cache, freed_twice, "Object already free");
  }
}

// Takes the empty slabs out of the list and puts those with few free objects to its front. The
// empty ones, chained by link_next.
uint32_t Slub::sort_partial_locked(KmemCache& cache, SlubNode& node) {
  constexpr uint32_t kFew = 32;  // Linux: SHRINK_PROMOTE_MAX
  SlabList few[kFew];
  SlabList many;
  uint32_t empty = 0;
  for (uint32_t pfn = node.partial.first; pfn != 0;) {
    SlabPage& slab = SlabPage::of(*map_->page(Pfn(pfn)));
    const uint32_t following = slab.link_next;
    if (slab.inuse == 0) {
      if (is_debugged(cache)) debug_.retire(view_of(cache, slab));
      remove(node, slab);
      discount_empty(node, slab);
      slab.link_next = empty;
      empty = pfn;
    } else {
      const uint32_t free = slab.free_objects();
      node.partial.remove(*map_, slab);
      (free <= kFew ? few[free - 1] : many).push_back(*map_, slab);
    }
    pfn = following;
  }
  for (SlabList& list : few) node.partial.append(*map_, list);
  node.partial.append(*map_, many);
  return empty;
}

void Slub::shrink(KmemCache& cache) {
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    SlubNode& node = node_of(cache, id);
    uint32_t empty = 0;
    {
      LockGuard guard(node.lock);
      empty = sort_partial_locked(cache, node);
    }
    while (empty != 0) {
      SlabPage& slab = SlabPage::of(*map_->page(Pfn(empty)));
      empty = slab.link_next;
      kmem_->free_slab(cache, slab);
    }
  }
}

}  // namespace quarry
