// SPDX-License-Identifier: MIT

// Invariants, and the lock for fork.

#include "kmem/slob/slob.h"

namespace quarry {

bool Slob::validate_list(unsigned number, TextSink& out) const {
  const List& list = list_[number];
  uint32_t pages = 0;
  uint32_t pfn = list.first;
  uint32_t before = list.pages == 0 ? 0 : map_->page(Pfn(pfn))->link_prev;
  for (; pages != list.pages; ++pages) {
    Page& page = *map_->page(Pfn(pfn));
    bool sound = SlobPage::is_one(page) && page.link_prev == before;
    if (sound) {
      auto& slob_page = static_cast<SlobPage&>(page);
      SlobFree free = slob_page.load();
      unsigned units = 0;
      unsigned longest = 0;
      sound = SlobBlocks(map_->address(&page), free).for_each([&](unsigned, unsigned length) {
        units += length;
        if (length > longest) longest = length;
      });
      sound = sound && slob_page.list() == number && units == free.units && units != 0 &&
              units != kSlobUnits && longest <= free.bound && free.bound <= list.bound;
    }
    if (!sound) {
      format(out, "slob: list %u: the page of frame 0x%x is not in order\n", number, pfn);
      return false;
    }
    before = pfn;
    pfn = page.link_next;
  }
  if (pfn == list.first) return true;
  format(out, "slob: list %u: more than %u pages\n", number, list.pages);
  return false;
}

bool Slob::validate_all(TextSink& out) const {
  LockGuard guard(lock_);
  uint32_t pages = 0;
  for (unsigned number = 0; number != kLists; ++number) {
    if (!validate_list(number, out)) return false;
    pages += list_[number].pages;
  }
  if (pages <= kmem_->slab_pages()) return true;
  format(out, "slob: %u pages in lists, counted %zu in use\n", pages, kmem_->slab_pages());
  return false;
}

void Slob::lock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS { lock_.lock(); }

void Slob::unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS { lock_.unlock(); }

}  // namespace quarry
