// SPDX-License-Identifier: MIT
// Pages, their descriptors and addresses as C callers see them.
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "c_test.h"

static void blocks(void) {
  for (unsigned int order = 0; order != MAX_ORDER; ++order) {
    struct page* page = alloc_pages(GFP_KERNEL, order);
    REQUIRE(page != NULL);
    EXPECT(IS_ALIGNED(page_to_pfn(page), 1UL << order));
    EXPECT(page_count(page) == 1);
    EXPECT(!PageCompound(page));
    memset(page_address(page), 0x11, PAGE_SIZE << order);
    __free_pages(page, order);
  }
  EXPECT(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_ORDER) == NULL);
  EXPECT(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 1000) == NULL);
}

static void addresses(void) {
  const unsigned long address = __get_free_pages(GFP_KERNEL, 2);
  REQUIRE(address != 0);
  char* const memory = (char*)address;
  struct page* page = virt_to_page(address);
  EXPECT(page == virt_to_page(memory));
  EXPECT(page_address(page) == memory);
  EXPECT(virt_to_page(memory + PAGE_SIZE) == page + 1);
  EXPECT(nth_page(page, 3) == virt_to_page(memory + 3 * PAGE_SIZE + 17));
  EXPECT(pfn_to_page(page_to_pfn(page)) == page);
  EXPECT(pfn_valid(page_to_pfn(page)));
  EXPECT(!pfn_valid(~0UL));
  EXPECT(page_to_phys(page) == (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT);
  EXPECT(virt_to_phys(memory + 5) == page_to_phys(page) + 5);
  EXPECT(phys_to_virt(page_to_phys(page) + 5) == memory + 5);
  EXPECT(__va(__pa(memory)) == memory);
  EXPECT(virt_addr_valid(memory));
  EXPECT(!virt_addr_valid(&page));
  EXPECT(page_to_nid(page) == 0);
  EXPECT(page_zonenum(page) <= 2);
  EXPECT(offset_in_page(memory + 123) == 123);
  EXPECT(!is_vmalloc_addr(memory));
  free_pages(address, 2);
  free_pages(0, 2);
}

static void dma(void) {
  const unsigned long address = __get_dma_pages(GFP_KERNEL, 0);
  REQUIRE(address != 0);
  EXPECT(virt_to_phys((void*)address) < 16 << 20);
  EXPECT(page_zonenum(virt_to_page(address)) == 0);
  free_page(address);
}

static void zeroed(void) {
  unsigned long* words = (unsigned long*)get_zeroed_page(GFP_KERNEL);
  REQUIRE(words != NULL);
  for (size_t i = 0; i != PAGE_SIZE / sizeof(*words); ++i) EXPECT(words[i] == 0);
  free_page((unsigned long)words);
}

static void compound(void) {
  struct page* page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
  REQUIRE(page != NULL);
  EXPECT(PageHead(page) && PageCompound(page) && !PageTail(page));
  EXPECT(PageTail(page + 7) && PageCompound(page + 7));
  EXPECT(compound_head(page + 7) == page);
  EXPECT(compound_order(page) == 3);
  EXPECT(compound_nr(page) == 8);
  EXPECT(page_size(page) == 8 * PAGE_SIZE);
  EXPECT(virt_to_head_page((char*)page_address(page) + 5 * PAGE_SIZE) == page);
  get_page(page + 2);
  EXPECT(page_count(page + 5) == 2);
  __free_pages(page, 3);
  EXPECT(page_count(page) == 1);
  put_page(page + 1);
}

static void plain_blocks_with_a_reference(void) {
  struct page* page = alloc_pages(GFP_KERNEL, 3);
  REQUIRE(page != NULL);
  get_page(page);
  __free_pages(page, 3);  // the tails go now, the first page stays
  EXPECT(page_count(page) == 1);
  memset(page_address(page), 1, PAGE_SIZE);
  put_page(page);
}

static void split(void) {
  struct page* page = alloc_pages(GFP_KERNEL, 2);
  REQUIRE(page != NULL);
  split_page(page, 2);
  for (int i = 0; i != 4; ++i) {
    EXPECT(page_count(page + i) == 1);
    __free_page(page + i);
  }
}

static void exact(void) {
  const unsigned long before = nr_free_pages();
  char* memory = alloc_pages_exact(5 * PAGE_SIZE + 1, GFP_KERNEL);
  REQUIRE(memory != NULL);
  EXPECT(before - nr_free_pages() == 6);
  memset(memory, 2, 5 * PAGE_SIZE + 1);
  free_pages_exact(memory, 5 * PAGE_SIZE + 1);
  EXPECT(nr_free_pages() == before);
  memory = alloc_pages_exact_nid(0, PAGE_SIZE, GFP_KERNEL);
  EXPECT(memory != NULL);
  free_pages_exact(memory, PAGE_SIZE);
}

static void bulk(void) {
  struct page* pages[50] = {NULL};
  pages[3] = alloc_page(GFP_KERNEL);
  struct page* const third = pages[3];
  REQUIRE(third != NULL);
  EXPECT(alloc_pages_bulk_array(GFP_KERNEL, 50, pages) == 50);
  EXPECT(pages[3] == third);
  for (int i = 0; i != 50; ++i) {
    REQUIRE(pages[i] != NULL);
    EXPECT(page_count(pages[i]) == 1);
    __free_page(pages[i]);
  }

  LIST_HEAD(list);
  struct page *page, *next;
  EXPECT(alloc_pages_bulk_list(GFP_KERNEL, 70, &list) == 70);
  EXPECT(list_count_nodes(&list) == 70);
  list_for_each_entry_safe(page, next, &list, lru) {
    list_del(&page->lru);
    put_page(page);
  }
}

static void owner_fields(void) {
  struct page* page = alloc_page(GFP_KERNEL);
  REQUIRE(page != NULL);
  set_page_private(page, 0x1234);
  EXPECT(page_private(page) == 0x1234);
  EXPECT(page->private == 0x1234);
  __free_page(page);
}

static void orders_of_sizes(void) {
  EXPECT(get_order(1) == 0);
  EXPECT(get_order(PAGE_SIZE) == 0);
  EXPECT(get_order(PAGE_SIZE + 1) == 1);
  EXPECT(get_order(KMALLOC_MAX_SIZE) == 10);
  EXPECT(get_order(KMALLOC_MAX_SIZE + 1) == 11);
}

static void flag_values(void) {
  EXPECT(GFP_ATOMIC == 0xa20 && GFP_KERNEL == 0xcc0 && GFP_KERNEL_ACCOUNT == 0x400cc0);
  EXPECT(GFP_NOWAIT == 0x800 && GFP_NOIO == 0xc00 && GFP_NOFS == 0xc40 && GFP_USER == 0x100cc0);
  EXPECT(GFP_DMA == 1 && GFP_DMA32 == 4 && GFP_HIGHUSER == 0x100cc2);
  EXPECT(GFP_HIGHUSER_MOVABLE == 0x100cca && GFP_TRANSHUGE_LIGHT == 0x1c20ca);
  EXPECT(GFP_TRANSHUGE == 0x1c24ca && __GFP_RECLAIM == 0xc00 && GFP_ZONEMASK == 0xf);
  EXPECT(gfpflags_allow_blocking(GFP_KERNEL) && !gfpflags_allow_blocking(GFP_ATOMIC));
}

static void scopes(void) {
  const unsigned int outer = memalloc_nofs_save();
  EXPECT(current_gfp_context(GFP_KERNEL) == GFP_NOFS);
  const unsigned int inner = memalloc_noio_save();
  EXPECT(current_gfp_context(GFP_KERNEL) == GFP_NOIO);
  const unsigned int again = memalloc_noio_save();
  memalloc_noio_restore(again);
  EXPECT(current_gfp_context(GFP_KERNEL) == GFP_NOIO);
  memalloc_noio_restore(inner);
  EXPECT(current_gfp_context(GFP_KERNEL) == GFP_NOFS);
  memalloc_nofs_restore(outer);
  EXPECT(current_gfp_context(GFP_KERNEL) == GFP_KERNEL);
  const unsigned int pin = memalloc_pin_save();
  EXPECT(current_gfp_context(GFP_HIGHUSER_MOVABLE) == GFP_HIGHUSER);
  memalloc_pin_restore(pin);
}

const struct c_test page_tests[] = {
    {"blocks", blocks},
    {"addresses", addresses},
    {"dma", dma},
    {"zeroed", zeroed},
    {"compound", compound},
    {"plain_blocks_with_a_reference", plain_blocks_with_a_reference},
    {"split", split},
    {"exact", exact},
    {"bulk", bulk},
    {"owner_fields", owner_fields},
    {"orders_of_sizes", orders_of_sizes},
    {"flag_values", flag_values},
    {"scopes", scopes},
    {NULL, NULL}};
