// SPDX-License-Identifier: MIT
// Memory with half of its frames free and no two of them together: what an order-9 request, kmalloc
// and kvmalloc make of that.
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <stdio.h>

// Takes every page there is, without regard to reserves, and gives back those with an odd frame
// number, so that no free frame has a free buddy.
static void fragment(struct list_head* held) {
  const gfp_t everything = GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN;
  struct page *page, *next;
  while ((page = alloc_pages(everything, 0)) != NULL) list_add(&page->lru, held);
  list_for_each_entry_safe(page, next, held, lru) {
    if (page_to_pfn(page) % 2 == 0) continue;
    list_del(&page->lru);
    __free_page(page);
  }
}

static void report(const char* request, const void* result) {
  printf("%-32s %s\n", request, result != NULL ? "granted" : "refused");
}

int main(void) {
  LIST_HEAD(held);
  fragment(&held);
  printf("%lu of %lu pages are free\n", nr_free_pages(), totalram_pages());

  struct page* block = alloc_pages(GFP_KERNEL, 9);
  void* object = kmalloc(100, GFP_KERNEL);
  void* large = kmalloc(SZ_2M, GFP_KERNEL | __GFP_NOWARN);
  void* either = kvmalloc(SZ_2M, GFP_KERNEL);
  report("alloc_pages(GFP_KERNEL, 9)", block);
  report("kmalloc(100, GFP_KERNEL)", object);
  report("kmalloc(SZ_2M, GFP_KERNEL)", large);
  report("kvmalloc(SZ_2M, GFP_KERNEL)", either);
  kvfree(either);
  kfree(object);

  struct page *page, *next;
  list_for_each_entry_safe(page, next, &held, lru) __free_page(page);
  block = alloc_pages(GFP_KERNEL, 9);
  report("alloc_pages again, all free", block);
  if (block != NULL) __free_pages(block, 9);
  return block != NULL && large == NULL && either != NULL ? 0 : 1;
}
