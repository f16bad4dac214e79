// SPDX-License-Identifier: MIT

// <asm/page.h>, <linux/mm.h>: frames, descriptors and addresses.

#include <asm/page.h>
#include <linux/mm.h>

#include "default_system.h"

namespace quarry {
extern "C" {

struct page* quarry_virt_to_page(const void* address) {
  return default_system.virt_to_page(address);
}

unsigned long page_to_pfn(const struct page* page) {
  return default_system.page_to_pfn(page).value();
}

struct page* pfn_to_page(unsigned long pfn) {
  return default_system.pfn_to_page(Pfn{pfn});
}

int pfn_valid(unsigned long pfn) {
  return static_cast<uint32_t>(pfn) == pfn && default_system.pfn_valid(Pfn{pfn}) ? 1 : 0;
}

phys_addr_t virt_to_phys(const volatile void* address) {
  const uintptr_t base = default_system.platform().direct_map_base().value();
  return reinterpret_cast<uintptr_t>(address) - base;
}

void* phys_to_virt(phys_addr_t address) {
  return (default_system.platform().direct_map_base() + address).as();
}

bool quarry_virt_addr_valid(const void* address) {
  const struct page* const page = default_system.virt_to_page(address);
  return page != nullptr && default_system.pfn_valid(default_system.page_to_pfn(page));
}

void* page_address(const struct page* page) { return default_system.page_address(page); }

struct page* quarry_compound_head(const struct page* page) {
  return default_system.compound_head(const_cast<struct page*>(page));
}

int page_to_nid(const struct page* page) { return default_system.page_node(page).value(); }

unsigned int page_zonenum(const struct page* page) { return default_system.page_zone(page); }

}  // extern "C"

}  // namespace quarry
