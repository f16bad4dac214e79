// SPDX-License-Identifier: MIT

// kmalloc beyond one cached object: whole pages, resizing, sizes, and what is no object or request.

#include "gfp/gfp_names.h"
#include "kmem/kmem.h"

namespace quarry {

namespace {

Order order_for(size_t bytes) {
  const size_t last_page = (bytes - 1) >> kPageShift;
  const unsigned order = last_page == 0 ? 0 : ilog2(last_page) + 1;
  return Order(order);
}

// Blocks of a size for which there are classes are memory of slabs, whoever cuts them.
constexpr bool counts_as_slab(Order order) { return kPageBytes << order.value() <= kMaxClassBytes; }

}  // namespace

std::atomic<size_t>& Kmem::large_counter(const Page& page, Order order) {
  PageCounters& counters = node_pages_[pages_->node_of(map_.pfn(&page))];
  return counts_as_slab(order) ? counters.other_slabs : counters.large_blocks;
}

void* Kmem::kmalloc_large(size_t bytes, Gfp gfp, NodeId node, uintptr_t place) {
  reporter_->check_context(uint32_t(gfp), place);
  if (bytes == 0) return reinterpret_cast<void*>(kZeroSizeAddress);
  return kmalloc_pages({without_sleeping(gfp), node, place, bytes});
}

void* Kmem::kmalloc_pages(const ObjectRequest& request) {
  // Beyond the largest block the page allocator reports and fails.
  const Order order = order_for(request.bytes);
  const Gfp gfp = without_bug_bits(request.gfp) | gfp::kComp;
  Page* page = pages_->alloc(gfp, order, request.node, request.place);
  if (page == nullptr) return nullptr;
  add_flags(*page, QUARRY_PAGE_LARGE_KMALLOC);
  large_counter(*page, order).fetch_add(order.pages(), std::memory_order_relaxed);
  return map_.address(page);
}

// Of no cache: a large block, nothing at all, or a pointer that kmalloc never gave.
void Kmem::kfree_foreign(Page* page, const void* object, uintptr_t place) {
  if (reinterpret_cast<uintptr_t>(object) <= kZeroSizeAddress) return;
  if (page != nullptr && kmalloc_engine_ != nullptr && kmalloc_engine_->kfree(*page, object))
    return;
  const bool first_byte = reinterpret_cast<uintptr_t>(object) % kPageBytes == 0;
  if (page != nullptr && first_byte && has_flag(*page, QUARRY_PAGE_LARGE_KMALLOC)) {
    const Order order(page->order);
    drop_flags(*page, QUARRY_PAGE_LARGE_KMALLOC);
    large_counter(*page, order).fetch_sub(order.pages(), std::memory_order_relaxed);
    return pages_->free(page, order);
  }
  // As Linux 6.1 does: a page of alloc_pages() is reported and freed, anything else only reported.
  FixedText<96> text;
  format(text, "kfree of what kmalloc did not give, object pointer: 0x%p", object);
  reporter_->warn(place, text.c_str());
  const bool allocated_page =
      page != nullptr && first_byte && page->_refcount > 0 &&
      !has_flag(*page, QUARRY_PAGE_TAIL | QUARRY_PAGE_RESERVED | QUARRY_PAGE_SLAB);
  if (allocated_page) {
    pages_->free(page, Order(has_flag(*page, QUARRY_PAGE_HEAD) ? page->order : 0));
  }
}

size_t Kmem::ksize(const void* object) const {
  const Page* page = map_.page_of(object);
  if (page == nullptr) return 0;
  if (const KmemCache* cache = cache_of(object)) {
    return engine_->usable_bytes(*cache, object);
  }
  if (has_flag(*page, QUARRY_PAGE_LARGE_KMALLOC)) return kPageBytes << page->order;
  return kmalloc_engine_ == nullptr ? 0 : kmalloc_engine_->kmalloc_usable(*page, object);
}

size_t Kmem::size_roundup(size_t bytes) const {
  if (bytes == 0) return 0;
  if (bytes <= kMaxClassBytes) {
    return kmalloc_engine_ != nullptr ? kmalloc_engine_->size_roundup(bytes)
                                      : kClassBytes[own_class(size_class(bytes))];
  }
  if (bytes > kMaxKmallocBytes) return bytes;
  return kPageBytes << order_for(bytes).value();
}

void* Kmem::krealloc(const void* object, size_t bytes, Gfp gfp, uintptr_t place) {
  if (bytes == 0) {
    kfree(object, place);
    return reinterpret_cast<void*>(kZeroSizeAddress);
  }
  const KmemCache* cache = cache_of(object);
  // Where the engine knows what was asked for, ksize() would lay claim to all of the object.
  const size_t asked = cache == nullptr ? 0 : engine_->asked_bytes(*cache, object);
  const size_t usable = asked == 0 ? ksize(object) : cache->object_size;
  if (usable == 0 && reinterpret_cast<uintptr_t>(object) > kZeroSizeAddress) {
    FixedText<96> text;
    format(text, "krealloc of what kmalloc did not give, object pointer: 0x%p", object);
    reporter_->warn(place, text.c_str());
    return nullptr;
  }
  if (usable >= bytes) {
    auto* begin = static_cast<unsigned char*>(const_cast<void*>(object));
    if (any(gfp, gfp::kZero) || zero_on_alloc_) {
      // The tail may hold what an earlier, larger use left there.
      const size_t from = asked != 0 && asked < bytes ? asked : bytes;
      __builtin_memset(begin + from, 0, (from == asked ? bytes : usable) - from);
    }
    if (asked != 0) engine_->set_asked_bytes(*cache, begin, bytes);
    return begin;
  }
  void* grown = kmalloc(bytes, gfp, place);
  if (grown == nullptr) return nullptr;
  if (usable != 0) {
    __builtin_memcpy(grown, object, asked == 0 ? usable : asked);
    kfree(object, place);
  }
  return grown;
}

void Kmem::kfree_sensitive(const void* object, uintptr_t place) {
  const size_t usable = ksize(object);
  // An object that is free already holds its slab's links: they must not be cleared.
  if (usable != 0 && !is_first_free(object)) {
    void* memory = const_cast<void*>(object);
    __builtin_memset(memory, 0, usable);
    // The stores must happen although nobody reads them.
    asm volatile("" ::"r"(memory) : "memory");
  }
  kfree(object, place);
}

bool Kmem::is_first_free(const void* object) const {
  const Page* page = map_.page_of(object);
  if (page == nullptr || page->cache == 0) return false;
  const Page* slab = has_flag(*page, QUARRY_PAGE_TAIL) ? map_.page(Pfn(page->head)) : page;
  return __atomic_load_n(&slab->freelist, __ATOMIC_RELAXED) == object;
}

KmemCache* Kmem::cache_of(const void* object) const {
  const Page* page = map_.page_of(object);
  return page == nullptr || page->cache == 0 ? nullptr : &caches_[page->cache];
}

void Kmem::free_to_wrong_cache(KmemCache& cache, void* object, uintptr_t place) {
  if (reinterpret_cast<uintptr_t>(object) <= kZeroSizeAddress) return;
  // The right one, perhaps: only the engine can tell.
  if (kmalloc_engine_ != nullptr) return engine_->free(cache, std::span(&object, 1), place);
  if (KmemCache* const real = cache_of(object)) {
    FixedText<160> text;
    format(text, "cache_from_obj: Wrong slab cache. %s but object is from %s", cache.name,
           real->name);
    reporter_->warn(place, text.c_str());
    {
      LogText out(reporter_->platform());
      engine_->show_tracks(*real, object, out);
    }
    return kfree(object, place);
  }
  report_no_object(cache, object, place);
}

void Kmem::report_no_object(const KmemCache& cache, const void* object, uintptr_t place) {
  FixedText<96> text;
  format(text, "kmem_cache_free %s: 0x%p is not a slab object", cache.name, object);
  reporter_->warn(place, text.c_str());
}

Gfp Kmem::report_bug_bits(Gfp gfp) {
  const Gfp fixed = gfp & ~gfp::kSlabBugMask;
  {
    LogText out(reporter_->platform());
    format(out, "Unexpected gfp: %#x (", uint32_t(gfp & gfp::kSlabBugMask));
    print_gfp(out, gfp & gfp::kSlabBugMask);
    format(out, "). Fixing up to gfp: %#x (", uint32_t(fixed));
    print_gfp(out, fixed);
    format(out, "). Fix your code!\n");
  }
  reporter_->dump_stack();
  return fixed;
}

void Kmem::report_object(const KmemCache& cache, const void* object, const char* problem) {
  static constexpr char kLine[] =
      "=============================================================================\n";
  static constexpr char kThinLine[] =
      "-----------------------------------------------------------------------------\n";
  LogText out(reporter_->platform());
  const Page* page = map_.page_of(object);
  const Page* slab =
      map_.page(has_flag(*page, QUARRY_PAGE_TAIL) ? Pfn(page->head) : map_.pfn(page));
  const auto offset = static_cast<size_t>(static_cast<const char*>(object) -
                                          static_cast<const char*>(map_.address(slab)));
  format(out, "%sBUG %s (", kLine, cache.name);
  reporter_->print_taints(out);
  format(out, "): %s\n%s\n", problem, kThinLine);
  const uint32_t objects = engine_->slab_objects(cache, *slab);
  if (objects != 0) {
    format(out, "Slab 0x%p objects=%u used=%u fp=0x%p flags=0x%x\n", static_cast<const void*>(slab),
           objects, slab->inuse, static_cast<const void*>(slab->freelist), slab->flags);
  }
  format(out, "Object 0x%p @offset=%zu\n", object, offset);
  reporter_->dump_stack();
  reporter_->taint(Taint::kBadPage);
}

}  // namespace quarry
