// SPDX-License-Identifier: MIT

// <linux/highmem.h>.

#include <linux/highmem.h>

#include "default_system.h"

namespace quarry {
namespace {

template <class Count>
unsigned long sum_of_highmem(Count&& count) {
  unsigned long sum = 0;
  for (const Zone& zone : default_core().pages.zones()) {
    if (zone.type == ZoneType::kHighmem) sum += static_cast<unsigned long>(count(zone));
  }
  return sum;
}

}  // namespace

extern "C" {

void* kmap(struct page* page) { return default_core().space.kmap().map(page, QUARRY_PLACE); }

void kunmap(struct page* page) { default_core().space.kmap().unmap(page, QUARRY_PLACE); }

void* kmap_local_page(struct page* page) { return default_system.kmap_local_page(page); }

void kunmap_local(const void* address) {
  default_core().space.kmap().unmap_local(address, QUARRY_PLACE);
}

struct page* kmap_to_page(void* address) {
  return default_system.kmap_to_page(address);
}

void kmap_flush_unused() { default_system.kmap_flush_unused(); }

unsigned long nr_free_highpages() {
  return sum_of_highmem([](const Zone& zone) { return zone.free_pages(); });
}

unsigned long totalhigh_pages() {
  return sum_of_highmem([](const Zone& zone) { return zone.managed; });
}

}  // extern "C"

}  // namespace quarry
