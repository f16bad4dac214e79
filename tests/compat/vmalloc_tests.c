// SPDX-License-Identifier: MIT
// vmalloc and vmap as C callers see them.
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "c_test.h"

static void memory(void) {
  const size_t bytes = 40 << 20;
  unsigned char* area = vmalloc(bytes);
  REQUIRE(area != NULL);
  EXPECT(is_vmalloc_addr(area) && PAGE_ALIGNED(area));
  EXPECT(!virt_addr_valid(area));
  memset(area, 0x77, bytes);
  // What the area shows is what its frames hold.
  struct page* page = vmalloc_to_page(area + 12345678);
  REQUIRE(page != NULL);
  EXPECT(vmalloc_to_pfn(area + 12345678) == page_to_pfn(page));
  area[12345678] = 0x78;
  EXPECT(((unsigned char*)page_address(page))[offset_in_page(12345678)] == 0x78);
  vfree(area);
  vfree(NULL);
}

static void zeroed(void) {
  char* area = vmalloc(3 * PAGE_SIZE);
  REQUIRE(area != NULL);
  memset(area, 0xff, 3 * PAGE_SIZE);
  vfree(area);
  area = vzalloc_node(3 * PAGE_SIZE, 0);
  REQUIRE(area != NULL);
  for (size_t i = 0; i != 3 * PAGE_SIZE; ++i) EXPECT(area[i] == 0);
  vfree(area);
  area = vcalloc(100, 50);
  EXPECT(area != NULL && area[4999] == 0);
  vfree(area);
  size_t half = SIZE_MAX / 2 + 1;
  EXPECT(vmalloc_array(half, 2) == NULL);
}

static void second_view(void) {
  struct page* pages[4];
  for (int i = 0; i != 4; ++i) {
    pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
    REQUIRE(pages[i] != NULL);
  }
  swap(pages[0], pages[3]);
  char* view = vmap(pages, 4, VM_MAP, PAGE_KERNEL);
  REQUIRE(view != NULL);
  for (size_t i = 0; i != 4; ++i) {
    view[i * PAGE_SIZE + 7] = (char)i;
    EXPECT(((char*)page_address(pages[i]))[7] == (char)i);
    EXPECT(vmalloc_to_page(view + i * PAGE_SIZE) == pages[i]);
  }
  vunmap(view);
  const char* readable = vmap(pages, 4, VM_MAP, PAGE_KERNEL_RO);
  REQUIRE(readable != NULL);
  EXPECT(readable[2 * PAGE_SIZE + 7] == 2);
  vunmap(readable);
  for (int i = 0; i != 4; ++i) __free_page(pages[i]);
}

static void addresses_kept(void) {
  char* area = vmalloc(7 * PAGE_SIZE);
  vfree(area);
  EXPECT(vmalloc_to_page(area) == NULL);
  EXPECT(vmalloc(7 * PAGE_SIZE) == area);
  vfree(area);
  vm_unmap_aliases();
  EXPECT(vmalloc_to_page(area) == NULL);
}

const struct c_test vmalloc_tests[] = {{"memory", memory},
                                       {"zeroed", zeroed},
                                       {"second_view", second_view},
                                       {"addresses_kept", addresses_kept},
                                       {NULL, NULL}};
