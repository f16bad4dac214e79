// SPDX-License-Identifier: MIT
// /proc/pagetypeinfo: for each node with memory the free blocks by migrate type and order, then the
// pageblocks by migrate type.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

constexpr size_t kBytes = 16 * quarry::kKiB;

constexpr const char* kHead =
    "Page block order: 9\n"
    "Pages per block:  512\n"
    "\n"
    "Free pages count per migrate type at order       0      1      2      3      4      5      6  "
    "    7      8      9     10 \n";

// Node 1 has no tables of the allocator: its 32 MiB are 8 blocks of order 10. An unmovable page
// takes the largest of them, both pageblocks.
QUARRY_TEST(Pagetypeinfo, of_the_second_node) {
  if (quarry::kPageblockOrder != 9) return;
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  Page* page = m->alloc_pages(gfp::kKernel | gfp::kThisNode, Order(4), NodeId(1));
  m->drain_all();
  FixedText<kBytes> text;
  m->pagetypeinfo(text);
  CHECK(!text.truncated());
  CHECK_EQ(__builtin_strncmp(text.c_str(), kHead, __builtin_strlen(kHead)), 0);
  const char* second = __builtin_strstr(text.c_str() + 1, "Page block order");
  REQUIRE(second != nullptr);
  FixedText<kBytes> wanted;
  format(
      wanted, "%s%s", kHead,
      "Node    1, zone    DMA32, type    Unmovable      0      0      0      0      1      1     "
      " 1      1      1      1      0 \n"
      "Node    1, zone    DMA32, type      Movable      0      0      0      0      0      0     "
      " 0      0      0      0      7 \n"
      "Node    1, zone    DMA32, type  Reclaimable      0      0      0      0      0      0     "
      " 0      0      0      0      0 \n"
      "Node    1, zone    DMA32, type   HighAtomic      0      0      0      0      0      0     "
      " 0      0      0      0      0 \n"
      "Node    1, zone    DMA32, type          CMA      0      0      0      0      0      0     "
      " 0      0      0      0      0 \n"
      "Node    1, zone    DMA32, type      Isolate      0      0      0      0      0      0     "
      " 0      0      0      0      0 \n"
      "\n"
      "Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic          CMA   "
      "   Isolate \n"
      "Node 1, zone    DMA32            2           14            0            0            0   "
      "         0 \n");
  CHECK_TEXT(second, wanted.c_str());
  m->free_pages(page, Order(4));
}

// Linux stops counting at 100000 blocks.
QUARRY_TEST(Pagetypeinfo, of_very_many_blocks) {
  Machine m{.mib = 900};
  Page* kept = nullptr;  // chained by the word that belongs to the owner
  Page* given = nullptr;
  while (Page* page = m->alloc_pages(gfp::kMemalloc | gfp::kNoWarn, Order(0))) {
    Page*& chain = m->page_to_pfn(page).value() % 2 == 0 ? kept : given;
    page->private_ = reinterpret_cast<unsigned long>(chain);
    chain = page;
  }
  const auto free_all = [&m](Page* page) {
    while (page != nullptr) {
      auto* next = reinterpret_cast<Page*>(page->private_);
      m->put_page(page);
      page = next;
    }
  };
  free_all(given);
  m->drain_all();
  FixedText<kBytes> text;
  m->pagetypeinfo(text);
  CHECK(__builtin_strstr(text.c_str(), "zone    DMA32, type    Unmovable >100000      0 ") !=
        nullptr);
  free_all(kept);
}

}  // namespace
