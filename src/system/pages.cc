// SPDX-License-Identifier: MIT

// The public calls about pages. `place`, for reports, is whoever made the call.

#include "system/core.h"
#include "system/place.h"
#include "zone/page_fast_paths.h"

namespace quarry {

Page* MemorySystem::alloc_pages(Gfp gfp, Order order, NodeId node) {
  return Core::of(*this).pages.alloc_inline(gfp, order.value(), node, QUARRY_FIND_PLACE);
}

void MemorySystem::free_pages(Page* page, Order order) {
  Core::of(*this).pages.free_inline(page, order.value());
}

void* MemorySystem::get_free_pages(Gfp gfp, Order order) {
  Core& core = Core::of(*this);
  const Page* page = core.pages.alloc(gfp & ~gfp::kHighmemBit, order, kNoNode, QUARRY_PLACE);
  return page == nullptr ? nullptr : core.map.address(page);
}

void MemorySystem::free_pages_at(void* address, Order order) {
  if (address == nullptr) return;
  Core& core = Core::of(*this);
  Page* page = core.map.page_of(address);
  if (page != nullptr) return core.pages.free(page, order);
  FixedText<64> text;
  format(text, "free_pages of 0x%p, which is no page", address);
  core.pages.reporter().warn(QUARRY_PLACE, text.c_str());
}

void* MemorySystem::alloc_pages_exact(size_t bytes, Gfp gfp, NodeId node) {
  return Core::of(*this).pages.alloc_exact(bytes, gfp, node, QUARRY_PLACE);
}

void MemorySystem::free_pages_exact(void* address, size_t bytes) {
  Core::of(*this).pages.free_exact(address, bytes, QUARRY_PLACE);
}

size_t MemorySystem::alloc_pages_bulk(Gfp gfp, std::span<Page*> pages, NodeId node) {
  return Core::of(*this).pages.alloc_bulk(gfp, node, pages, QUARRY_PLACE);
}

void MemorySystem::split_page(Page* page, Order order) { Core::of(*this).pages.split(page, order); }
void MemorySystem::get_page(Page* page) { Core::of(*this).pages.get(page); }
void MemorySystem::put_page(Page* page) { Core::of(*this).pages.put(page); }

Pfn MemorySystem::page_to_pfn(const Page* page) const { return Core::of(*this).map.pfn(page); }
Page* MemorySystem::pfn_to_page(Pfn pfn) const { return Core::of(*this).map.page(pfn); }
bool MemorySystem::pfn_valid(Pfn pfn) const { return Core::of(*this).map.valid(pfn); }
void* MemorySystem::page_address(const Page* page) const {
  return Core::of(*this).space.kmap().address(page);
}
Page* MemorySystem::virt_to_page(const void* address) const {
  return Core::of(*this).map.page_of(address);
}
Page* MemorySystem::compound_head(Page* page) const {
  return quarry::compound_head(Core::of(*this).map, page);
}
NodeId MemorySystem::page_node(const Page* page) const {
  const Core& core = Core::of(*this);
  return core.pages.zone_of(core.map.pfn(page)).node;
}
unsigned MemorySystem::page_zone(const Page* page) const {
  const Core& core = Core::of(*this);
  return static_cast<unsigned>(core.pages.zone_of(core.map.pfn(page)).type);
}

void* MemorySystem::kmap(const Page* page) {
  return Core::of(*this).space.kmap().map(page, QUARRY_PLACE);
}
void MemorySystem::kunmap(const Page* page) {
  Core::of(*this).space.kmap().unmap(page, QUARRY_PLACE);
}
void* MemorySystem::kmap_local_page(const Page* page) {
  return Core::of(*this).space.kmap().map_local(page);
}
void MemorySystem::kunmap_local(const void* address) {
  Core::of(*this).space.kmap().unmap_local(address, QUARRY_PLACE);
}
Page* MemorySystem::kmap_to_page(const void* address) const {
  return Core::of(*this).space.kmap().page_of(address);
}
void MemorySystem::kmap_flush_unused() { Core::of(*this).space.kmap().flush_unused(); }

uint64_t MemorySystem::managed_pages() const { return Core::of(*this).pages.managed_pages(); }
uint64_t MemorySystem::free_page_count() const { return Core::of(*this).pages.free_pages(); }
unsigned MemorySystem::node_count() const { return Core::of(*this).pages.node_count(); }
void MemorySystem::trim_page_tables() { Core::of(*this).space.mapper().trim(); }
void MemorySystem::drain_all() { Core::of(*this).pages.drain_all(); }

}  // namespace quarry
