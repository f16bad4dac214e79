// SPDX-License-Identifier: MIT

// <linux/vmalloc.h>.

#include <linux/bug.h>
#include <linux/vmalloc.h>

#include "default_system.h"

namespace quarry {
namespace {

constexpr unsigned long kWritable = 2;  // _PAGE_RW of x86

}  // namespace

extern "C" {

void* vmalloc(unsigned long bytes) {
  return default_core().vmalloc.alloc(bytes, gfp::kKernel, kNoNode, QUARRY_PLACE);
}

void* vzalloc(unsigned long bytes) {
  return default_core().vmalloc.alloc(bytes, gfp::kKernel | gfp::kZero, kNoNode, QUARRY_PLACE);
}

void* vmalloc_node(unsigned long bytes, int node) {
  return default_core().vmalloc.alloc(bytes, gfp::kKernel, NodeId{node}, QUARRY_PLACE);
}

void* vzalloc_node(unsigned long bytes, int node) {
  return default_core().vmalloc.alloc(bytes, gfp::kKernel | gfp::kZero, NodeId{node}, QUARRY_PLACE);
}

void* __vmalloc(unsigned long bytes, gfp_t gfp) {
  return default_core().vmalloc.alloc(bytes, Gfp(gfp), kNoNode, QUARRY_PLACE);
}

void vfree(const void* address) { default_core().vmalloc.free(address, QUARRY_PLACE); }

void* vmap(struct page** pages, unsigned int count, unsigned long flags, pgprot_t protection) {
  WARN_ON_ONCE((flags & ~static_cast<unsigned long>(VM_MAP | VM_IOREMAP | VM_ALLOC)) != 0);
  const bool writable = (pgprot_val(protection) & kWritable) != 0;
  return default_core().vmalloc.map_pages(
      {pages, count}, writable ? MapAccess::kReadWrite : MapAccess::kReadOnly, QUARRY_PLACE);
}

void vunmap(const void* address) { default_core().vmalloc.unmap(address, QUARRY_PLACE); }

void vm_unmap_aliases() { default_core().vmalloc.purge(); }

struct page* vmalloc_to_page(const void* address) {
  return default_system.vmalloc_to_page(address);
}

unsigned long vmalloc_to_pfn(const void* address) {
  const struct page* const page = default_system.vmalloc_to_page(address);
  return page == nullptr ? 0 : default_system.page_to_pfn(page).value();
}

bool is_vmalloc_addr(const void* address) { return default_system.is_vmalloc_addr(address); }

}  // extern "C"

}  // namespace quarry
