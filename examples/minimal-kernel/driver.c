// SPDX-License-Identifier: MIT
/* Kernel code as it is written for Linux. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "driver.h"

#define PACKETS 1000
#define BLOCK_ORDER 3
#define TABLE_BYTES (1UL << 20)

struct packet {
  u32 number;
  char text[84];
};

static struct kmem_cache* packet_cache;
static struct packet* packets[PACKETS];
static char* name;
static struct page* block;
static unsigned long* table;

bool driver_open(void) {
  unsigned long i;

  packet_cache = kmem_cache_create("packet", sizeof(struct packet), 0, 0, NULL);
  if (!packet_cache) return false;
  for (i = 0; i < PACKETS; i++) {
    packets[i] = kmem_cache_zalloc(packet_cache, GFP_KERNEL);
    if (!packets[i]) return false;
    packets[i]->number = i;
  }
  name = kmalloc(100, GFP_KERNEL);
  block = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);
  table = vmalloc(TABLE_BYTES);
  if (!name || !block || !table) return false;
  for (i = 0; i < TABLE_BYTES / sizeof(*table); i++) table[i] = i;
  /* The frames lie anywhere; their addresses in the direct map show the same bytes. */
  for (i = 0; i < TABLE_BYTES; i += PAGE_SIZE) {
    unsigned long* frame = page_address(vmalloc_to_page((char*)table + i));

    if (frame[0] != i / sizeof(*table)) return false;
  }
  for (i = 0; i < PACKETS; i++)
    if (packets[i]->number != i) return false;
  return true;
}

void driver_close(void) {
  int i;

  vfree(table);
  __free_pages(block, BLOCK_ORDER);
  kfree(name);
  for (i = 0; i < PACKETS; i++) kmem_cache_free(packet_cache, packets[i]);
  kmem_cache_destroy(packet_cache);
}

void driver_overrun(void) { ((volatile char*)table)[TABLE_BYTES] = 1; }
