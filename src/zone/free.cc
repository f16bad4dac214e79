// SPDX-License-Identifier: MIT
// References, freeing, and what is found wrong with pages that are freed.
#include "sync/execution_context.h"
#include "zone/page_fast_paths.h"

namespace quarry {

namespace {

constexpr uint32_t kFlagCount = 8;
constexpr const char* kFlagNames[kFlagCount] = {"buddy", "pcp",           "head",     "tail",
                                                "slab",  "large_kmalloc", "reserved", "pfmemalloc"};

// Drops a reference that is there. True: it was the last one. Release and acquire: what any holder
// wrote to the page comes before its next use.
bool drop_reference(Page* page) {
  return references(page).fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace

void PageAllocator::free(Page* page, Order order) { free_inline(page, order.value()); }

void PageAllocator::free_block(Page* page, Order order) { free_block_fast(page, order.value()); }

// There are other references, or, by mistake, none.
[[gnu::noinline]] void PageAllocator::free_shared(Page* page, Order order) {
  if (references(page).load(std::memory_order_relaxed) < 1) {
    report_bad_page(page, "VM_BUG_ON_PAGE(page_ref_count(page) == 0)");
    return;
  }
  // Once the reference is dropped, the page may be somebody else's.
  const bool compound = has_flag(*page, QUARRY_PAGE_HEAD);
  if (drop_reference(page)) {
    free_block(page, order);
  } else if (!compound) {
    // Who still holds the first page got it as a single one and frees no more than that.
    for (unsigned k = order.value(); k-- != 0;) free_block(page + (size_t{1} << k), Order(k));
  }
}

void PageAllocator::free_block_slow(Page* page, Order order) {
  const Pfn pfn = map_.pfn(page);
  if (order > kMaxOrder || !pfn.is_aligned(order)) {
    report_bad_page(page, "block is not aligned to its order");
    return;
  }
  if ((page->flags & kBadFlags) != 0 || page->cache != 0) {
    report_bad_page(page, "PAGE_FLAGS_CHECK_AT_FREE flag(s) set");
    return;
  }
  if (has_flag(*page, QUARRY_PAGE_HEAD) && !dissolve_compound(page, order)) return;
  Zone& zone = zone_of(pfn);
  const MigrateType type = map_.migratetype(pfn);
  page->_refcount = 0;
  if (is_pcp_order(order) && type != MigrateType::kIsolate) {
    // Pages of the other special types wait among the movable ones.
    mark_in_stack(*page, order);
    free_to_stack(zone, page, order, is_mergeable(type) ? type : MigrateType::kMovable);
    return;
  }
  if (zero_on_free_) clear(page, order);
  void* block = page;
  free_to_zone(zone, std::span(&block, 1), order);
}

// Makes plain pages of a compound block. False: a page of it is not what it should be; then all of
// them are left alone.
bool PageAllocator::dissolve_compound(Page* page, Order order) {
  if (page->order != order.value()) {
    report_bad_page(page, "compound page freed with another order");
    return false;
  }
  const uint32_t head = map_.pfn(page).value();
  for (uint32_t i = 1; i != order.pages(); ++i) {
    if (page[i].flags != QUARRY_PAGE_TAIL || page[i].head != head || page[i]._refcount != 0) {
      report_bad_page(&page[i], "corrupted tail page");
      return false;
    }
  }
  for (uint32_t i = 1; i != order.pages(); ++i) {
    write_flags(page[i], 0);
    page[i].head = 0;
  }
  drop_flags(*page, QUARRY_PAGE_HEAD);
  page->order = 0;
  return true;
}

// `page` is marked as being in a stack. A full stack gives a part of its blocks back first.
void PageAllocator::free_to_stack(Zone& zone, Page* page, Order order, MigrateType type) {
  if (zero_on_free_) clear(page, order);
  CpuArrays& stack = zone.stacks.arrays(order, type);
  PushResult result = stack.push(page, 0);
  if (result == PushResult::kRefused && !stack.is_off()) {
    void* block[PageStacks::kMostRefill];
    const uint32_t count = stack.pop_many(std::span(block, zone.stacks.refill_count(order)));
    free_to_zone(zone, std::span(block, count), order);
    result = stack.push(page, 0);
  }
  if (result == PushResult::kPushed) return;
  void* block = page;
  free_to_zone(zone, std::span(&block, 1), order);
}

// First pages of blocks with no owner, marked or not.
void PageAllocator::free_to_zone(Zone& zone, std::span<void* const> blocks, Order order) {
  LockGuard guard(zone.lock);
  for (void* block : blocks) {
    Page& page = *static_cast<Page*>(block);
    zone.free_locked(page, map_.pfn(&page), order);
  }
}

void PageAllocator::free_exact(void* address, size_t bytes, uintptr_t place) {
  Page* page = map_.page_of(address);
  if (page == nullptr) {
    FixedText<64> text;
    format(text, "free_pages_exact of 0x%p, which is no page", address);
    if (place == 0) place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
    return reporter_.warn(place, text.c_str());
  }
  const size_t pages = (bytes >> kPageShift) + ((bytes & (kPageBytes - 1)) != 0 ? 1 : 0);
  for (size_t i = 0; i != pages; ++i) free(page + i, Order(0));
}

void PageAllocator::get(Page* page) {
  references(compound_head(map_, page)).fetch_add(1, std::memory_order_relaxed);
}

void PageAllocator::put(Page* page) {
  page = compound_head(map_, page);
  if (references(page).load(std::memory_order_relaxed) < 1) {
    report_bad_page(page, "VM_BUG_ON_PAGE(page_ref_count(page) == 0)");
    return;
  }
  if (!drop_reference(page)) return;
  free_block(page, Order(has_flag(*page, QUARRY_PAGE_HEAD) ? page->order : 0));
}

void PageAllocator::split(Page* page, Order order) {
  QUARRY_CHECK((page->flags & (QUARRY_PAGE_HEAD | QUARRY_PAGE_TAIL)) == 0);
  QUARRY_CHECK(references(page).load(std::memory_order_relaxed) > 0);
  for (uint32_t i = 1; i != order.pages(); ++i) page[i]._refcount = 1;
}

void PageAllocator::report_bad_page(const Page* page, const char* reason) {
  if (!bad_page_limit_.allow(platform_->clock_ns())) return;
  {
    LogText out(*platform_);
    const Pfn pfn = map_.pfn(page);
    format(out, "BUG: Bad page state in process quarry  pfn:%05x\n", pfn);
    format(out, "page:%p refcount:%d order:%u cache:%u head:%#x pfn:%#x\n",
           static_cast<const void*>(page), page->_refcount, page->order, page->cache, page->head,
           pfn);
    format(out, "flags: %#x(", page->flags);
    const char* separator = "";
    for (unsigned bit = 0; bit != kFlagCount; ++bit) {
      if ((page->flags >> bit & 1) == 0) continue;
      format(out, "%s%s", separator, kFlagNames[bit]);
      separator = "|";
    }
    format(out, ")\npage dumped because: %s\n", reason);
  }
  reporter_.dump_stack();
}

}  // namespace quarry
