// SPDX-License-Identifier: MIT
#pragma once

// SLOB: the smallest allocator, for machines with little memory. Objects of all sizes and caches
// share pages; what is free is written into the free memory itself (slob_blocks.h), and a page's
// descriptor has the rest:
//
//   page.objects    free units
//   page.inuse      bound: no free block of the page is longer
//   page.freelist   first free block; null: the page is full
//   page.link_*     place in its list, a ring; which list is in the owner's bits of page.flags
//   page.cache      0: such a page is no cache's
//
//   0 < free units < 2048   <=>   the page is in a list; with 2048 it is given back
//   list.bound >= page.bound >= every free block of the page
//
// There are three lists: for blocks below 256 bytes, below 1024, and below a page. A request is
// served by its list's first page with room, first fit, and the ring is turned so that the next
// search begins there. Where no page has room, it is a guest in the lists of longer blocks: those
// it searches from the other end, oldest pages first, and from where the last guest was served, so
// that it fills what others left and not the pages that are still good for long blocks. Only then
// a new page is taken, to the front. A page that was full comes to the front of the list that suits
// the block it gets back.
//
// The bounds change nothing about where a block comes from. They let a search pass by pages, and a
// whole list, that would have been searched in vain.
//
// kmalloc puts a header of 8 bytes before the object: its size, and a word that only the header of
// an object in use has. From a page less that header on, kmalloc takes whole pages. Objects of
// caches have no header: whoever frees one says by the cache how long it is. A page or more is
// taken from the page allocator. The constructor runs at each allocation. With
// SLAB_TYPESAFE_BY_RCU each object ends with what has it let go of after a grace period.
//
// What Linux's SLOB does not do is not done here either: caches keep no books, so there is no
// slabinfo, and destroying a cache with objects in use goes unnoticed; no merging, no debugging
// flags. A block that is free already is noticed when it is freed, kfree() of what has no header
// too. Other than there, requests for DMA memory get it, whatever their size.
//
// Lock: lock_ guards the lists and the descriptors and free memory of all pages in use. Pages are
// allocated and freed outside of it.

#include "kmem/kmem.h"
#include "kmem/slob/slob_page.h"

namespace quarry {

class Slob final : public SlabEngine, public KmallocEngine {
 public:
  constexpr Slob() = default;
  void init(Kmem& kmem, PageAllocator& pages) {
    kmem_ = &kmem;
    pages_ = &pages;
    map_ = &pages.map();
  }

  KmallocEngine* kmalloc_engine() override { return this; }

  bool shape(KmemCache& cache, unsigned cpus) const override;
  size_t state_bytes(unsigned) const override { return 0; }
  void init_state(KmemCache&) const override {}
  uint32_t alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) override;
  void free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) override;
  uint32_t slab_objects(const KmemCache&, const Page&) const override { return 0; }
  size_t usable_bytes(const KmemCache& cache, const void* object) const override;
  void grace_period_over(RcuHead& head) override;

  void shrink(KmemCache&) override {}
  SlabCounts node_counts(const KmemCache&, NodeId) const override { return {}; }
  bool validate(const KmemCache&, TextSink&) const override { return true; }
  void lock_all(KmemCache&) override {}
  void unlock_all(KmemCache&) override {}

  void* kmalloc(const ObjectRequest& request) override;
  bool kfree(Page& page, const void* object) override;
  size_t kmalloc_usable(const Page& page, const void* object) const override;
  size_t size_roundup(size_t bytes) const override;
  bool validate_all(TextSink& out) const override;
  void lock_all() override;
  void unlock_all() override;

 private:
  static constexpr unsigned kLists = 3;

  struct List {
    uint32_t first = 0;   // frame number of the page where a search begins; 0: no page
    uint32_t guests = 0;  // and of that where a guest's begins, which goes backwards
    uint32_t pages = 0;
    uint16_t bound = 0;  // no free block of any page is longer
  };

  // `of_cache`: what its requests for pages have besides.
  void* alloc_block(size_t bytes, const SlobWish& wish, const ObjectRequest& request, Gfp of_cache);
  void* take_locked(List& list, bool guest, const SlobWish& wish, NodeId node, Gfp zone)
      QUARRY_REQUIRES(lock_);
  void* take_from(uint32_t& begin, SlobPage& page, const SlobWish& wish) QUARRY_REQUIRES(lock_);
  SlobPage* new_page(const ObjectRequest& request, Gfp of_cache);
  bool suits(const SlobPage& page, NodeId node, Gfp zone) const;
  Gfp page_gfp(const ObjectRequest& request, Gfp of_cache) const;
  bool free_block(SlobPage& page, void* block, size_t bytes);
  void add_first(unsigned number, SlobPage& page) QUARRY_REQUIRES(lock_);
  void remove(SlobPage& page) QUARRY_REQUIRES(lock_);
  void give_back(SlobPage& page);

  void* alloc_object(const KmemCache& cache, const ObjectRequest& request);
  void* alloc_raw(const KmemCache& cache, const ObjectRequest& request);
  bool may_be_of(const KmemCache& cache, const void* object) const;
  bool free_object(const KmemCache& cache, void* object);
  bool release(void* object, size_t bytes);
  bool validate_list(unsigned number, TextSink& out) const QUARRY_REQUIRES(lock_);

  mutable SpinLock lock_{LockRank::kSlabNode};
  List list_[kLists] QUARRY_GUARDED_BY(lock_);

  Kmem* kmem_ = nullptr;
  PageAllocator* pages_ = nullptr;
  const PageMap* map_ = nullptr;
};

}  // namespace quarry
