// SPDX-License-Identifier: MIT
// <linux/highmem.h> as C callers see it, in a process: no page lies above the direct map.
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/string.h>

#include "c_test.h"

static void addresses(void) {
  struct page* page = alloc_page(GFP_HIGHUSER);
  REQUIRE(page != NULL);
  EXPECT(!PageHighMem(page));
  char* const all = kmap(page);
  EXPECT(all == page_address(page) && kmap_to_page(all) == page);
  char* const local = kmap_local_page(page);
  EXPECT(kmap_local_pfn(page_to_pfn(page)) == local);
  strcpy(all, "seen twice");
  EXPECT(strcmp(local, "seen twice") == 0);
  kunmap_local(local + 100);
  kunmap_local(local);
  kunmap(page);
  kmap_flush_unused();
  EXPECT(totalhigh_pages() == 0 && nr_free_highpages() == 0);
  __free_page(page);
}

static void atomic_sections(void) {
  struct page* page = alloc_page(GFP_KERNEL);
  REQUIRE(page != NULL);
  void* const outer = kmap_atomic(page);
  void* const inner = kmap_atomic(page);
  EXPECT(in_atomic());
  kunmap_atomic(inner);
  EXPECT(in_atomic());
  kunmap_atomic(outer);
  EXPECT(!in_atomic());
  void* const local = kmap_local_page(page);
  EXPECT(!in_atomic());
  kunmap_local(local);
  __free_page(page);
}

static void contents(void) {
  struct page* pages = alloc_pages(GFP_HIGHUSER | __GFP_ZERO, 1);
  REQUIRE(pages != NULL);
  const char* const first = page_address(pages);
  char text[32] = {0};
  memcpy_to_page(pages, 4000, "brought here", 13);
  EXPECT(strcmp(first + 4000, "brought here") == 0 && first[3999] == 0);
  memcpy_from_page(text, pages, 4000, 13);
  EXPECT(strcmp(text, "brought here") == 0);
  memcpy_page(pages + 1, 7, pages, 4000, 13);
  EXPECT(strcmp(first + PAGE_SIZE + 7, "brought here") == 0);
  memset_page(pages, 10, 'x', 4);
  EXPECT(first[9] == 0 && first[10] == 'x' && first[13] == 'x' && first[14] == 0);
  copy_highpage(pages + 1, pages);
  EXPECT(memcmp(first, first + PAGE_SIZE, PAGE_SIZE) == 0);
  zero_user_segments(pages, 10, 12, 4000, 4096);
  EXPECT(first[11] == 0 && first[12] == 'x' && first[4000] == 0);
  zero_user(pages, 12, 1);
  zero_user_segment(pages, 13, 13);
  EXPECT(first[12] == 0 && first[13] == 'x');
  clear_highpage(pages + 1);
  for (size_t i = PAGE_SIZE; i != 2 * PAGE_SIZE; ++i) EXPECT(first[i] == 0);
  __free_pages(pages, 1);
}

const struct c_test highmem_tests[] = {{"addresses", addresses},
                                       {"atomic_sections", atomic_sections},
                                       {"contents", contents},
                                       {NULL, NULL}};
