// SPDX-License-Identifier: MIT

// Caches that are debugged: an object at a time, all of it under the lock of the slab's node.

#include "kmem/slub/slub.h"

namespace quarry {

bool Slub::set_debug_options(const char* value, BootMemory& boot) {
  if (value == nullptr) return true;
  size_t length = 0;
  while (value[length] != '\0') ++length;
  char* const copy = boot.alloc_array<char>(length + 1);
  if (copy == nullptr) return false;
  __builtin_memcpy(copy, value, length + 1);
  LogText out(pages_->platform());
  debug_.options().read(copy, out);
  return true;
}

uint32_t* Slub::asked_of(const KmemCache& cache, const void* object) const {
  if (!keeps_asked(cache.flags)) return nullptr;
  SlabPage& slab = SlabPage::of(*compound_head(*map_, map_->page_at(object)));
  const SlabView view = view_of(const_cast<KmemCache&>(cache), slab);
  if (!view.is_object(object)) return nullptr;
  return view.asked_word(const_cast<void*>(object));
}

size_t Slub::asked_bytes(const KmemCache& cache, const void* object) const {
  const uint32_t* const asked = asked_of(cache, object);
  if (asked == nullptr) return 0;
  return *asked < cache.object_size ? *asked : cache.object_size;
}

void Slub::set_asked_bytes(const KmemCache& cache, void* object, size_t bytes) {
  uint32_t* const asked = asked_of(cache, object);
  if (asked == nullptr) return;
  *asked = static_cast<uint32_t>(bytes);
  if ((cache.flags & QUARRY_SLAB_RED_ZONE) == 0) return;
  fill({SlabView::at(object, bytes), cache.object_size - bytes}, kRedActive);
}

void Slub::resettle(KmemCache& cache, SlubNode& node, SlabPage& slab, uint16_t objects,
                    uint16_t inuse) {
  node.free_objects += slab.free_objects();
  node.free_objects -= static_cast<uint16_t>(objects - inuse);
  node.total_objects += slab.objects;
  node.total_objects -= objects;
  const bool was_full = inuse == objects;
  const bool is_full = slab.inuse == slab.objects;
  if (was_full == is_full) return;
  if (was_full) {
    if (lists_full_slabs(cache)) node.full.remove(*map_, slab);
    append(node, slab);
  } else {
    remove(node, slab);
    if (lists_full_slabs(cache)) node.full.push_back(*map_, slab);
  }
}

uint32_t Slub::take_debugged_locked(KmemCache& cache, SlubNode& node, const ObjectRequest& request,
                                    const Backtrace& backtrace, std::span<void*> objects) {
  uint32_t count = 0;
  while (node.partial.first != 0 && count != objects.size()) {
    SlabPage& slab = SlabPage::of(*map_->page(Pfn(node.partial.first)));
    const uint16_t total = slab.objects;
    const uint16_t inuse = slab.inuse;
    void* const object = debug_.take(view_of(cache, slab), request, backtrace);
    if (object != nullptr) objects[count++] = object;
    resettle(cache, node, slab, total, inuse);
  }
  return count;
}

uint32_t Slub::take_debugged(KmemCache& cache, SlubNode& node, const ObjectRequest& request,
                             std::span<void*> objects) {
  const Backtrace backtrace = debug_.backtrace_for(cache, request.place);
  LockGuard guard(node.lock);
  return take_debugged_locked(cache, node, request, backtrace, objects);
}

// A new slab, which nobody knows yet.
uint32_t Slub::add_debugged(KmemCache& cache, SlubNode& node, SlabPage& slab,
                            const ObjectRequest& request, std::span<void*> objects) {
  const Backtrace backtrace = debug_.backtrace_for(cache, request.place);
  debug_.prepare(view_of(cache, slab));
  LockGuard guard(node.lock);
  count_new(node, slab);
  append(node, slab);
  return take_debugged_locked(cache, node, request, backtrace, objects);
}

// True: the slab is empty, in no list any more, and shall be given up by the caller.
bool Slub::put_debugged_locked(KmemCache& cache, SlubNode& node, SlabPage& slab, void* object,
                               uintptr_t place, const Backtrace& backtrace) {
  const SlabView view = view_of(cache, slab);
  const uint16_t total = slab.objects;
  const uint16_t inuse = slab.inuse;
  const bool freed = debug_.put(view, object, place, backtrace);
  const bool surplus = freed && slab.inuse == 0 && node.nr_partial >= cache.min_partial;
  resettle(cache, node, slab, total, inuse);
  if (!surplus) return false;
  debug_.retire(view);
  remove(node, slab);
  discount_empty(node, slab);
  return true;
}

void Slub::free_debugged(KmemCache& cache, std::span<void* const> objects, uintptr_t place) {
  const Backtrace backtrace = debug_.backtrace_for(cache, place);
  for (void* const object : objects) {
    SlabPage& slab = SlabPage::of(*compound_head(*map_, map_->page_at(object)));
    SlubNode& node = node_of(cache, slab.node);
    bool empty = false;
    {
      LockGuard guard(node.lock);
      empty = put_debugged_locked(cache, node, slab, object, place, backtrace);
    }
    if (empty) kmem_->free_slab(cache, slab);
  }
}

// A copy of the list as it was: a repair may move a slab to the end of the other list.
uint32_t Slub::check_list(KmemCache& cache, SlubNode& node, SlabList list) {
  uint32_t count = 0;
  for (uint32_t pfn = list.first; pfn != 0; ++count) {
    SlabPage& slab = SlabPage::of(*map_->page(Pfn(pfn)));
    pfn = pfn == list.last ? 0 : slab.link_next;
    const uint16_t total = slab.objects;
    const uint16_t inuse = slab.inuse;
    debug_.check(view_of(cache, slab));
    resettle(cache, node, slab, total, inuse);
  }
  return count;
}

uint32_t Slub::check_node(KmemCache& cache, SlubNode& node) {
  LockGuard guard(node.lock);
  const SlabList full = node.full;
  const uint32_t partial = check_list(cache, node, node.partial);
  return partial + check_list(cache, node, full);
}

SlabCheck Slub::check(KmemCache& cache) {
  SlabCheck result;
  const size_t before = cache.errors.load(std::memory_order_relaxed);
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    result.slabs += check_node(cache, node_of(cache, id));
  }
  result.errors = cache.errors.load(std::memory_order_relaxed) - before;
  return result;
}

void Slub::report_leftovers(KmemCache& cache) {
  FixedText<160> text;
  format(text, "Objects remaining in %s on __kmem_cache_shutdown()", cache.name);
  for (unsigned id = 0; id != pages_->node_count(); ++id) {
    SlubNode& node = node_of(cache, id);
    const auto report = [&](Page& page) {
      debug_.list_objects(view_of(cache, SlabPage::of(page)), text.c_str());
    };
    LockGuard guard(node.lock);
    node.partial.for_each(*map_, report);
    node.full.for_each(*map_, report);
  }
}

bool Slub::collect_tracks(KmemCache& cache, TrackKind kind, TrackTable& table) {
  const uintptr_t now = jiffies(pages_->platform());
  bool fits = true;
  for (unsigned id = 0; id != pages_->node_count() && fits; ++id) {
    SlubNode& node = node_of(cache, id);
    const auto collect = [&](Page& page) {
      const SlabView view = view_of(cache, SlabPage::of(page));
      const FreeObjects free(view);
      for (uint32_t i = 0; i != page.objects && fits; ++i) {
        void* const object = view.object(i);
        if (free.has(i)) continue;
        const uint32_t wasted =
            kind == TrackKind::kAlloc ? cache.object_size - view.asked(object) : 0;
        fits = table.add(view.track(object, kind), wasted, id, now);
      }
    };
    LockGuard guard(node.lock);
    node.partial.for_each(*map_, collect);
    node.full.for_each(*map_, collect);
  }
  return fits;
}

bool Slub::write_traces(KmemCache& cache, TrackKind kind, TextSink& out) {
  if ((cache.flags & QUARRY_SLAB_STORE_USER) == 0) return false;
  // The backtraces are written when the objects that name them may be gone.
  debug_.hold_backtraces();
  bool fits = false;
  // Nothing is allocated under the lock: with more memory, again.
  for (unsigned order = 0; !fits && order <= kMaxOrder.value(); ++order) {
    Page* page = pages_->alloc(gfp::kNoWait | gfp::kNoWarn, Order(order));
    if (page == nullptr) break;
    TrackTable table(map_->address(page), kPageBytes << order);
    fits = collect_tracks(cache, kind, table);
    if (fits) table.write(out, pages_->reporter(), debug_.depot(), pages_->node_count());
    pages_->free(page, Order(order));
  }
  debug_.release_backtraces();
  return fits;
}

Origin Slub::origin(KmemCache& cache, void* object, TrackKind kind) {
  Origin origin;
  if ((cache.flags & QUARRY_SLAB_STORE_USER) == 0) return origin;
  SlabPage& slab = SlabPage::of(*compound_head(*map_, map_->page_at(object)));
  LockGuard guard(node_of(cache, slab.node).lock);
  const SlabView view = view_of(cache, slab);
  if (!view.is_object(object)) return origin;
  const Track track = view.track(object, kind);
  origin.place = track.place;
  for (const uintptr_t frame : debug_.depot().fetch(track.stack)) {
    if (origin.backtrace.count == origin.backtrace.frame.size()) break;
    origin.backtrace.frame[origin.backtrace.count++] = frame;
  }
  return origin;
}

void Slub::show_tracks(KmemCache& cache, void* object, TextSink& out) {
  SlabPage& slab = SlabPage::of(*compound_head(*map_, map_->page_at(object)));
  SlubNode& node = node_of(cache, slab.node);
  LockGuard guard(node.lock);
  const SlabView view = view_of(cache, slab);
  if (view.is_object(object)) debug_.show_tracks(out, view, object);
}

}  // namespace quarry
