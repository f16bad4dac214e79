/* SPDX-License-Identifier: MIT */
/*
 * A short exercise of every interface, as kernel C: it would compile in Linux. Each line shows what
 * one call gave; what is wrong with it is counted.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

int demo_interfaces(int nodes);

static const char* const zones[] = {"DMA", "DMA32", "Normal", "HighMem", "Movable"};
static int mistakes;

static void must(bool holds, const char* what) {
  if (holds) return;
  pr_err("  WRONG: %s\n", what);
  mistakes++;
}

static void show_page(const char* call, const struct page* page) {
  pr_info("  %-38s frame %7lx  zone %-7s node %d\n", call, page_to_pfn(page),
          zones[page_zonenum(page)], page_to_nid(page));
}

static void show_object(const char* call, const void* object) {
  if (!object) {
    must(false, call);
    return;
  }
  pr_info("  %-38s %p  phys %9llx  usable %zu  zone %-6s node %d\n", call, object,
          (unsigned long long)virt_to_phys(object), ksize(object),
          zones[page_zonenum(virt_to_page(object))], page_to_nid(virt_to_page(object)));
}

static bool is_zero(const unsigned char* bytes, size_t count) {
  while (count--)
    if (*bytes++) return false;
  return true;
}

static void demo_kmalloc(int nodes) {
  void* small = kmalloc(100, GFP_KERNEL);
  void* zeroed = kzalloc(3000, GFP_KERNEL);
  void* large = kmalloc(100000, GFP_KERNEL);
  void* atomic = kmalloc(64, GFP_ATOMIC);
  void* dma = kmalloc(512, GFP_KERNEL | GFP_DMA);
  char* text = kstrdup("a string", GFP_KERNEL);

  pr_info("kmalloc: physically contiguous, rounded up to a size class\n");
  show_object("kmalloc(100, GFP_KERNEL)", small);
  show_object("kzalloc(3000, GFP_KERNEL)", zeroed);
  show_object("kmalloc(100000, GFP_KERNEL)", large);
  show_object("kmalloc(64, GFP_ATOMIC)", atomic);
  show_object("kmalloc(512, GFP_KERNEL | GFP_DMA)", dma);
  show_object("kstrdup(\"a string\", GFP_KERNEL)", text);
  for (int node = 0; node < nodes; node++) {
    void* object = kmalloc_node(256, GFP_KERNEL, node);

    show_object("kmalloc_node(256, GFP_KERNEL, node)", object);
    must(object && page_to_nid(virt_to_page(object)) == node, "its node");
    kfree(object);
  }
  must(zeroed && is_zero(zeroed, 3000), "kzalloc gives zeroes");
  must(dma && virt_to_phys(dma) + 512 <= 16 << 20, "GFP_DMA is below 16 MiB");
  must(text && !strcmp(text, "a string"), "kstrdup copies");
  must(!kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN), "too large a request fails");
  small = krealloc(small, 200, GFP_KERNEL);
  show_object("krealloc(100 -> 200)", small);
  kfree(small);
  kfree_sensitive(zeroed);
  kfree(large);
  kfree(atomic);
  kfree(dma);
  kfree(text);
}

struct point {
  int x, y;
  char name[88];
};

static void make_point(void* object) {
  struct point* point = object;

  point->x = point->y = 7;
}

static void demo_kmem_cache(void) {
  struct kmem_cache* cache = KMEM_CACHE(point, SLAB_HWCACHE_ALIGN);
  struct kmem_cache* made =
      kmem_cache_create("made_points", sizeof(struct point), 0, 0, make_point);
  struct point* first = kmem_cache_alloc(cache, GFP_KERNEL);
  struct point* second = kmem_cache_zalloc(cache, GFP_KERNEL);
  struct point* constructed = kmem_cache_alloc(made, GFP_KERNEL);
  void* bulk[16];

  pr_info("kmem_cache: equal objects, from this CPU's array\n");
  show_object("kmem_cache_alloc(point, GFP_KERNEL)", first);
  show_object("kmem_cache_zalloc(point, GFP_KERNEL)", second);
  show_object("kmem_cache_alloc(made_points, ...)", constructed);
  must(second && second->x == 0, "kmem_cache_zalloc gives zeroes");
  must(constructed && constructed->x == 7, "the constructor ran");
  must(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 16, bulk) == 16, "kmem_cache_alloc_bulk");
  kmem_cache_free_bulk(cache, 16, bulk);
  kmem_cache_free(made, constructed);
  kmem_cache_free(cache, second);
  kmem_cache_free(cache, first);
  kmem_cache_destroy(made);
  kmem_cache_destroy(cache);
}

static void demo_pages(void) {
  static const struct {
    const char* call;
    gfp_t gfp;
  } requests[] = {
      {"alloc_pages(GFP_KERNEL, 3)", GFP_KERNEL},
      {"alloc_pages(GFP_KERNEL | GFP_DMA, 3)", GFP_KERNEL | GFP_DMA},
      {"alloc_pages(GFP_KERNEL | GFP_DMA32, 3)", GFP_KERNEL | GFP_DMA32},
      {"alloc_pages(GFP_HIGHUSER, 3)", GFP_HIGHUSER},
  };

  pr_info("pages: 2^order frames that are neighbours\n");
  for (unsigned int i = 0; i < ARRAY_SIZE(requests); i++) {
    struct page* page = alloc_pages(requests[i].gfp, 3);

    must(page, requests[i].call);
    if (!page) continue;
    show_page(requests[i].call, page);
    must(page_to_pfn(page) % 8 == 0, "blocks are naturally aligned");
    __free_pages(page, 3);
  }
}

static void demo_kmap(void) {
  struct page* page = alloc_page(GFP_HIGHUSER);
  unsigned int* mapped;

  if (!page) return must(false, "alloc_page(GFP_HIGHUSER)");
  mapped = kmap(page);
  *mapped = 0x12345678;
  pr_info("kmap: %s\n", page_address(page) == mapped && !PageHighMem(page)
                            ? "the page has an address already"
                            : "an address for a page above the direct map");
  pr_info("  %-38s %p\n", "kmap(page)", (void*)mapped);
  kunmap(page);
  mapped = kmap_local_page(page);
  pr_info("  %-38s %p\n", "kmap_local_page(page)", (void*)mapped);
  must(*mapped == 0x12345678, "both show the same page");
  kunmap_local(mapped);
  __free_page(page);
}

static void demo_vmalloc(void) {
  const size_t bytes = 8 << 20;
  unsigned char* area = vmalloc(bytes);
  unsigned char* zeroed = vzalloc(100000);
  void* small = kvmalloc(1000, GFP_KERNEL);

  pr_info("vmalloc: virtually contiguous, frames from anywhere\n");
  if (area && zeroed) {
    pr_info("  %-38s %p\n", "vmalloc(8 MiB)", (void*)area);
    for (size_t at = 0; at < bytes; at += PAGE_SIZE) area[at] = (unsigned char)(at >> PAGE_SHIFT);
    show_page("  its first page", vmalloc_to_page(area));
    show_page("  its last page", vmalloc_to_page(area + bytes - 1));
    pr_info("  %-38s %p\n", "vzalloc(100000)", (void*)zeroed);
    must(is_zero(zeroed, 100000), "vzalloc gives zeroes");
    must(area[bytes - PAGE_SIZE] == (unsigned char)((bytes >> PAGE_SHIFT) - 1),
         "all of it is there");
    must(is_vmalloc_addr(area) && !is_vmalloc_addr(small), "is_vmalloc_addr");
  }
  must(area && zeroed && small, "vmalloc, vzalloc and kvmalloc");
  kvfree(small);
  vfree(zeroed);
  vfree(area);
}

/* How many things are wrong. */
int demo_interfaces(int nodes) {
  demo_kmalloc(nodes);
  demo_kmem_cache();
  demo_pages();
  demo_kmap();
  demo_vmalloc();
  return mistakes;
}
