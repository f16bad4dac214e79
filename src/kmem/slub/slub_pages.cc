// SPDX-License-Identifier: MIT

// Slabs from pages and back.

#include <utility>

#include "base/random.h"
#include "gfp/gfp_names.h"
#include "kmem/slab_frames.h"
#include "kmem/slub/free_links.h"
#include "kmem/slub/slub.h"

namespace quarry {

// Request bits that reach the page allocator are those that say how hard to try; the zone is the
// cache's.
Page* Slub::new_slab_pages(KmemCache& cache, Gfp gfp, NodeId node) {
  gfp = kmem_->without_bug_bits(gfp);
  gfp = (gfp & (gfp::kReclaimMask | gfp::kConstraintMask)) | cache.page_gfp;
  if (cache.order != cache.min_order) {
    // A large block is worth no effort: a small one will do.
    Gfp light = (gfp | gfp::kNoWarn | gfp::kNoRetry) & ~gfp::kNoFail;
    if (any(light, gfp::kDirectReclaim)) light = (light | gfp::kNoMemalloc) & ~gfp::kReclaim;
    Page* page = pages_->alloc(light, cache.order, node);
    if (page != nullptr) {
      page->order = cache.order.value();
      return page;
    }
  }
  Page* page = pages_->alloc(gfp, cache.min_order, node);
  if (page != nullptr) page->order = cache.min_order.value();
  return page;
}

// Cuts the slab: constructs all objects, hands the first ones out and links the others.
uint32_t Slub::carve(KmemCache& cache, SlabPage& slab, std::span<void*> objects) {
  auto* base = static_cast<unsigned char*>(map_->address(&slab));
  const uint32_t total = slab.objects;
  const auto taken = static_cast<uint32_t>(objects.size() < total ? objects.size() : total);
  if (cache.ctor != nullptr) {
    for (uint32_t i = 0; i != total; ++i) cache.ctor(base + size_t{i} * cache.size);
  }
  if (tuning_.random) return carve_at_random(cache, slab, objects.first(taken));
  const size_t size = cache.size;
  for (uint32_t i = 0; i != taken; ++i) objects[i] = base + i * size;
  slab.freelist = nullptr;
  if (taken != total) {
    unsigned char* object = base + taken * size;
    unsigned char* const last = base + (total - 1) * size;
    slab.freelist = object;
    with_links(cache, [=](const auto& links) mutable {
      for (; object != last; object += size) links.store(object, object + size);
      links.store(last, nullptr);
    });
  }
  slab.inuse = static_cast<uint16_t>(taken);
  return taken;
}

// The same for objects in random order. First each object's link holds the index of another, so
// that all of them are one ring (Sattolo's algorithm); then the ring is cut into those handed out
// and those that are linked.
uint32_t Slub::carve_at_random(KmemCache& cache, SlabPage& slab, std::span<void*> objects) {
  auto* base = static_cast<unsigned char*>(map_->address(&slab));
  const PlainLinks words{cache.offset};
  const auto object_at = [&](uint32_t index) -> void* { return base + size_t{index} * cache.size; };
  Random random(tuning_.seed + draws_.fetch_add(1, std::memory_order_relaxed));
  const uint32_t total = slab.objects;
  for (uint32_t i = 0; i != total; ++i)
    words.store(object_at(i), reinterpret_cast<void*>(uintptr_t{i}));
  for (uint32_t i = total - 1; i > 0; --i) {
    std::swap(words.word(object_at(i)), words.word(object_at(random.below(i))));
  }
  auto index = random.below(total);
  void* last = nullptr;
  slab.freelist = nullptr;
  for (uint32_t i = 0; i != total; ++i) {
    void* object = object_at(index);
    index = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(words.load(object)));
    if (i < objects.size()) {
      objects[i] = object;
      continue;
    }
    last == nullptr ? void(slab.freelist = object) : store_link(cache, last, object);
    last = object;
  }
  if (last != nullptr) store_link(cache, last, nullptr);
  slab.inuse = static_cast<uint16_t>(objects.size());
  return static_cast<uint32_t>(objects.size());
}

void Slub::count_new(SlubNode& node, const SlabPage& slab) {
  const uint32_t page_count = 1u << slab.order;
  kmem_->add_slab_pages(slab);
  ++node.nr_slabs;
  node.nr_pages += page_count;
  node.total_objects += slab.objects;
  node.free_objects += slab.free_objects();
}

uint32_t Slub::grow(KmemCache& cache, Gfp gfp, NodeId node, const ObjectRequest& request,
                    std::span<void*> objects) {
  Page* page = new_slab_pages(cache, gfp, node);
  if (page == nullptr) {
    report_out_of_memory(cache, gfp, node);
    return 0;
  }
  const Order order(page->order);
  const unsigned node_id = pages_->node_of(map_->pfn(page));
  claim_slab_frames(*map_, *page, order, cache, node_id);
  auto& slab = static_cast<SlabPage&>(*page);
  slab.objects = static_cast<uint16_t>(objects_in(order.pages() * kPageBytes, cache.size));
  SlubNode& state = node_of(cache, node_id);
  if (is_debugged(cache)) return add_debugged(cache, state, slab, request, objects);
  const uint32_t taken = carve(cache, slab, objects);

  LockGuard guard(state.lock);
  count_new(state, slab);
  if (taken != slab.objects) append(state, slab);
  return taken;
}

void Slub::report_out_of_memory(const KmemCache& cache, Gfp gfp, NodeId node) {
  Platform& platform = pages_->platform();
  if (any(gfp, gfp::kNoWarn) || !out_of_memory_limit_.allow(platform.clock_ns())) return;
  LogText out(platform);
  format(out, "SLUB: Unable to allocate memory on node %d, gfp=%#x(", node.value(), uint32_t(gfp));
  print_gfp(out, gfp);
  format(out,
         ")\n  cache: %s, object size: %u, buffer size: %u, default order: %u, min order: %u\n",
         cache.name, cache.object_size, cache.size, cache.order, cache.min_order);
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    SlubNode& state = node_of(cache, id);
    LockGuard guard(state.lock);
    format(out, "  node %u: slabs: %u, objs: %zu, free: %zu\n", id, state.nr_slabs,
           state.total_objects, state.free_objects);
  }
}

}  // namespace quarry
