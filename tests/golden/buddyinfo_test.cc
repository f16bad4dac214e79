// SPDX-License-Identifier: MIT
// /proc/buddyinfo: "Node %d, zone %8s " and "%6lu " for each order, populated zones only.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::kMiB;
using quarry::MemoryRange;
using quarry::MemoryType;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
using quarry::Pfn;
using quarry::PhysAddr;
namespace gfp = quarry::gfp;

// Takes every page and gives chosen runs of frames back, so that the free lists are known exactly.
class ChosenFrames {
 public:
  explicit ChosenFrames(Machine& machine) : m_(machine) {
    for (int node = 0; node != static_cast<int>(m_->node_count()); ++node) {
      while (Page* page = m_->alloc_pages(gfp::kMemalloc | gfp::kNoWarn, Order{0}, NodeId(node))) {
        pages_[count_++] = page;
      }
    }
  }
  void give(uint32_t first, uint32_t frames) {
    uint32_t given = 0;
    for (size_t i = 0; i != count_;) {
      const uint32_t pfn = m_->page_to_pfn(pages_[i]).value();
      if (pfn - first < frames) {
        m_->put_page(pages_[i]);
        pages_[i] = pages_[--count_];
        ++given;
      } else {
        ++i;
      }
    }
    CHECK_EQ(given, frames);
  }
  void give_all() {
    while (count_ != 0) m_->put_page(pages_[--count_]);
  }

 private:
  Machine& m_;
  size_t count_ = 0;
  Page* pages_[24576];
};

void check_text(Machine& m, const char* wanted) {
  m->drain_all();
  FixedText<2048> text;
  m->buddyinfo(text);
  CHECK_TEXT(text.c_str(), wanted);
}

QUARRY_TEST(Buddyinfo, of_two_nodes) {
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  ChosenFrames frames(m);
  check_text(m,
             "Node 0, zone      DMA      0      0      0      0      0      0      0      0      0 "
             "     0      0 \n"
             "Node 0, zone    DMA32      0      0      0      0      0      0      0      0      0 "
             "     0      0 \n"
             "Node 1, zone    DMA32      0      0      0      0      0      0      0      0      0 "
             "     0      0 \n");
  frames.give(3072, 8);  // order 3
  frames.give(3088, 1);  // three of order 0
  frames.give(3090, 1);
  frames.give(3093, 1);
  frames.give(5120, 1024);           // order 10
  frames.give(6144, 1024);           // another: blocks grow no larger
  frames.give(7200, 7);              // 7200-7203: order 2; 7204-7205: order 1; 7206: order 0
  frames.give(9 * 1024, 512);        // order 9, on node 1
  frames.give(9 * 1024 + 512, 511);  // orders 8 ... 0
  check_text(m,
             "Node 0, zone      DMA      3      0      0      1      0      0      0      0      0 "
             "     0      0 \n"
             "Node 0, zone    DMA32      1      1      1      0      0      0      0      0      0 "
             "     0      2 \n"
             "Node 1, zone    DMA32      1      1      1      1      1      1      1      1      1 "
             "     1      0 \n");
  frames.give_all();
}

// Zone Normal begins at 4 GiB; the page descriptors of the hole before it lie in its first half.
QUARRY_TEST(Buddyinfo, of_memory_with_holes) {
  const MemoryRange map[] = {
      {PhysAddr(0), 16 * kMiB, NodeId(0), MemoryType::kUsable},
      {PhysAddr(64 * kMiB), 16 * kMiB, NodeId(0), MemoryType::kUsable},
      {PhysAddr(uint64_t{4096} * kMiB), 64 * kMiB, NodeId(0), MemoryType::kUsable}};
  Machine m{.memory_map = map};
  ChosenFrames frames(m);
  constexpr uint32_t kNormal = 1U << 20;
  frames.give(16384 + 2048, 2048);
  for (uint32_t pfn = kNormal + 12288; pfn != kNormal + 16384; pfn += 2) frames.give(pfn, 1);
  check_text(m,
             "Node 0, zone      DMA      0      0      0      0      0      0      0      0      0 "
             "     0      0 \n"
             "Node 0, zone    DMA32      0      0      0      0      0      0      0      0      0 "
             "     0      2 \n"
             "Node 0, zone   Normal   2048      0      0      0      0      0      0      0      0 "
             "     0      0 \n");
  frames.give_all();
}

// Pages in per-CPU stacks are not in the text until they are drained.
QUARRY_TEST(Buddyinfo, does_not_see_what_cpus_keep) {
  Machine m{.cpus = 2};
  FixedText<1024> before;
  m->drain_all();
  m->buddyinfo(before);
  Page* page = m->alloc_pages(gfp::kKernel, Order{0});
  m->free_pages(page, Order{0});
  FixedText<1024> kept;
  m->buddyinfo(kept);
  CHECK(__builtin_strcmp(before.c_str(), kept.c_str()) != 0);
  check_text(m, before.c_str());
}

}  // namespace
