// SPDX-License-Identifier: MIT

// <linux/gfp.h>: pages.

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>

#include "default_system.h"
#include "zone/page_fast_paths.h"

namespace quarry {
namespace {

uintptr_t address_of_new(gfp_t gfp, unsigned int order, uintptr_t place) {
  Core& core = default_core();
  const Page* const page = core.pages.alloc(Gfp(gfp) & ~gfp::kHighmemBit,
                                            PageAllocator::order_of(order), kNoNode, place);
  return page == nullptr ? 0 : reinterpret_cast<uintptr_t>(core.map.address(page));
}

}  // namespace

extern "C" {

struct page* alloc_pages(gfp_t gfp, unsigned int order) {
  return default_core().pages.alloc_inline(Gfp(gfp), order, kNoNode, QUARRY_FIND_PLACE);
}

struct page* alloc_pages_node(int node, gfp_t gfp, unsigned int order) {
  return default_core().pages.alloc(Gfp(gfp), PageAllocator::order_of(order), NodeId{node},
                                    QUARRY_PLACE);
}

void __free_pages(struct page* page, unsigned int order) {
  default_core().pages.free_inline(page, order);
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order) {
  return address_of_new(gfp, order, QUARRY_PLACE);
}

unsigned long get_zeroed_page(gfp_t gfp) {
  return address_of_new(gfp | __GFP_ZERO, 0, QUARRY_PLACE);
}

void free_pages(unsigned long address, unsigned int order) {
  default_system.free_pages_at(reinterpret_cast<void*>(address), PageAllocator::order_of(order));
}

void* alloc_pages_exact(size_t bytes, gfp_t gfp) {
  return default_core().pages.alloc_exact(bytes, Gfp(gfp), kNoNode, QUARRY_PLACE);
}

void* alloc_pages_exact_nid(int node, size_t bytes, gfp_t gfp) {
  return default_core().pages.alloc_exact(bytes, Gfp(gfp), NodeId{node}, QUARRY_PLACE);
}

void free_pages_exact(void* address, size_t bytes) {
  default_core().pages.free_exact(address, bytes, QUARRY_PLACE);
}

unsigned long alloc_pages_bulk_array(gfp_t gfp, unsigned long count, struct page** pages) {
  return default_core().pages.alloc_bulk(Gfp(gfp), kNoNode, {pages, count}, QUARRY_PLACE);
}

unsigned long alloc_pages_bulk_array_node(gfp_t gfp, int node, unsigned long count,
                                          struct page** pages) {
  return default_core().pages.alloc_bulk(Gfp(gfp), NodeId{node}, {pages, count}, QUARRY_PLACE);
}

unsigned long alloc_pages_bulk_list(gfp_t gfp, unsigned long count, struct list_head* list) {
  constexpr size_t kBatch = 32;
  unsigned long total = 0;
  while (total != count) {
    struct page* batch[kBatch] = {};
    const size_t wanted = count - total < kBatch ? count - total : kBatch;
    const size_t got =
        default_core().pages.alloc_bulk(Gfp(gfp), kNoNode, {batch, wanted}, QUARRY_PLACE);
    for (size_t i = 0; i != got; ++i) list_add_tail(&batch[i]->lru, list);
    total += got;
    if (got != wanted) break;
  }
  return total;
}

void split_page(struct page* page, unsigned int order) {
  default_system.split_page(page, PageAllocator::order_of(order));
}

void get_page(struct page* page) { default_system.get_page(page); }

void put_page(struct page* page) { default_system.put_page(page); }

unsigned long totalram_pages() { return default_system.managed_pages(); }

unsigned long nr_free_pages() { return default_system.free_page_count(); }

}  // extern "C"

}  // namespace quarry
