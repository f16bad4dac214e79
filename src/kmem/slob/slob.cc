// SPDX-License-Identifier: MIT

// Blocks: the three lists, and pages from the page allocator and back.

#include "kmem/slob/slob.h"

namespace quarry {

namespace {

constexpr size_t kSmallEnd = 256;
constexpr size_t kMediumEnd = 1024;

constexpr unsigned list_for(size_t bytes) {
  return (bytes >= kSmallEnd ? 1U : 0U) + (bytes >= kMediumEnd ? 1U : 0U);
}

// The bits of a request that say where its memory may lie: kmalloc's own for DMA, and the cache's.
Gfp zone_bits(const ObjectRequest& request, Gfp of_cache) {
  return ((request.gfp & gfp::kDmaBit) | of_cache) & (gfp::kDmaBit | gfp::kDma32Bit);
}

}  // namespace

// Node, and a zone as low as the request wants it.
bool Slob::suits(const SlobPage& page, NodeId node, Gfp zone) const {
  if (node != kNoNode && node.value() != page.node) return false;
  return pages_->zone_of(map_->pfn(&page)).type <= gfp_zone(zone);
}

// For the page allocator. What makes no sense is reported here, because here pages are needed.
Gfp Slob::page_gfp(const ObjectRequest& request, Gfp of_cache) const {
  constexpr Gfp kPassedOn =
      gfp::kReclaimMask | gfp::kConstraintMask | gfp::kDmaBit | gfp::kReclaimable;
  return (kmem_->without_bug_bits(request.gfp) & kPassedOn) | of_cache;
}

// `begin`: where the next such search of the page's list begins.
void* Slob::take_from(uint32_t& begin, SlobPage& page, const SlobWish& wish) {
  auto* memory = static_cast<unsigned char*>(map_->address(&page));
  SlobFree free = page.load();
  const unsigned at = SlobBlocks(memory, free).take(wish);
  page.store(free, memory);
  if (at == SlobBlocks::kNone) return nullptr;
  if (free.units == 0) {
    remove(page);
  } else {
    begin = map_->pfn(&page).value();
  }
  return memory + size_t{at} * kSlobUnitBytes;
}

// Null: no page of the list has room.
void* Slob::take_locked(List& list, bool guest, const SlobWish& wish, NodeId node, Gfp zone) {
  if (list.bound < wish.units) return nullptr;
  const bool picky = node != kNoNode || zone != Gfp{};
  uint32_t& mark = guest ? list.guests : list.first;
  const uint32_t begin = mark;
  uint16_t bound = 0;
  uint32_t pfn = begin;
  do {
    SlobPage& page = SlobPage::of(*map_->page(Pfn(pfn)));
    pfn = guest ? page.link_prev : page.link_next;
    if (page.bound() >= wish.units && (!picky || suits(page, node, zone))) {
      if (void* block = take_from(mark, page, wish)) return block;
    }
    if (page.bound() > bound) bound = page.bound();
  } while (pfn != begin);
  list.bound = bound;
  return nullptr;
}

void* Slob::alloc_block(size_t bytes, const SlobWish& wish, const ObjectRequest& request,
                        Gfp of_cache) {
  const unsigned number = list_for(bytes);
  const Gfp zone = zone_bits(request, of_cache);
  {
    LockGuard guard(lock_);
    for (unsigned n = number; n != kLists; ++n) {
      if (void* block = take_locked(list_[n], n != number, wish, request.node, zone)) return block;
    }
  }
  SlobPage* page = new_page(request, of_cache);
  if (page == nullptr) return nullptr;
  LockGuard guard(lock_);
  add_first(number, *page);
  return take_from(list_[number].first, *page, wish);
}

SlobPage* Slob::new_page(const ObjectRequest& request, Gfp of_cache) {
  const Gfp gfp = page_gfp(request, of_cache);
  Page* page = pages_->alloc(gfp, Order{0}, request.node, request.place);
  if (page == nullptr) return nullptr;
  write_flags(*page, QUARRY_PAGE_SLAB);
  page->node = static_cast<uint8_t>(pages_->node_of(map_->pfn(page)));
  kmem_->add_slab_pages(*page);
  auto* memory = static_cast<unsigned char*>(map_->address(page));
  SlobFree free{};
  SlobBlocks(memory, free).init();
  SlobPage& made = SlobPage::of(*page);
  made.store(free, memory);
  return &made;
}

// False: some of the block is free already.
bool Slob::free_block(SlobPage& page, void* block, size_t bytes) {
  auto* memory = static_cast<unsigned char*>(map_->address(&page));
  const unsigned at = reinterpret_cast<uintptr_t>(block) % kPageBytes / kSlobUnitBytes;
  const unsigned units = slob_units(bytes);
  {
    LockGuard guard(lock_);
    SlobFree free = page.load();
    SlobBlocks blocks(memory, free);
    if (free.units == 0) {
      blocks.make_only(at, units);
      page.store(free, memory);
      if (units != kSlobUnits) {
        add_first(list_for(bytes), page);
        return true;
      }
    } else {
      if (!blocks.put(at, units)) return false;
      page.store(free, memory);
      if (free.units != kSlobUnits) {
        List& list = list_[page.list()];
        if (free.bound > list.bound) list.bound = free.bound;
        return true;
      }
      remove(page);
    }
  }
  give_back(page);
  return true;
}

void Slob::give_back(SlobPage& page) {
  kmem_->sub_slab_pages(page);
  write_flags(page, 0);
  page.link_next = page.link_prev = 0;
  page.freelist = nullptr;
  page.objects = page.inuse = 0;
  page.node = 0;
  pages_->free(&page, Order{0});
}

void Slob::add_first(unsigned number, SlobPage& page) {
  List& list = list_[number];
  const uint32_t pfn = map_->pfn(&page).value();
  page.set_list(number);
  if (list.pages++ == 0) {
    page.link_next = page.link_prev = pfn;
    list.guests = pfn;
  } else {
    Page& first = *map_->page(Pfn(list.first));
    page.link_next = list.first;
    page.link_prev = first.link_prev;
    map_->page(Pfn(first.link_prev))->link_next = pfn;
    first.link_prev = pfn;
  }
  list.first = pfn;
  if (page.bound() > list.bound) list.bound = page.bound();
}

void Slob::remove(SlobPage& page) {
  List& list = list_[page.list()];
  map_->page(Pfn(page.link_prev))->link_next = page.link_next;
  map_->page(Pfn(page.link_next))->link_prev = page.link_prev;
  const uint32_t pfn = map_->pfn(&page).value();
  if (list.first == pfn) list.first = page.link_next;
  if (list.guests == pfn) list.guests = page.link_prev;
  if (--list.pages == 0) list = {};
}

}  // namespace quarry
