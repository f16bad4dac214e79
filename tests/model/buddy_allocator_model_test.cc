// SPDX-License-Identifier: MIT
// The page allocator as its callers see it, by random calls on several CPUs and nodes, against a
// map that says who has each frame.
#include "base/random.h"
#include "support/page_machine.h"

namespace quarry {
namespace {

constexpr unsigned kOperations = 1'000'000;
constexpr uint64_t kHighStart = 4 * kGiB;
constexpr uint32_t kMostBlocks = 4096;
constexpr unsigned kCpus = 3;

struct Block {
  Page* page;
  uint8_t order;
  bool compound;
  uint8_t extra;  // references beyond the first
  uint32_t tag;   // in the first word of each frame
};

struct Model : harness::PageMachine {
  Random random{harness::seed()};
  Block block[kMostBlocks];
  uint32_t count = 0;
  uint64_t held = 0;
  uint32_t next_tag = 1;

  Model() : PageMachine(kCpus) {
    platform.add_memory(0, 24 * kMiB, 0);
    platform.add_memory(24 * kMiB, 40 * kMiB, 1);
    platform.add_memory(96 * kMiB, 96 * kMiB, 1);
    platform.add_memory(kHighStart, 17 * kMiB, 0);
    platform.add_memory(kHighStart + 17 * kMiB, 15 * kMiB, 1);
    platform.add_reserved(30 * kMiB, 0x3000);
    for (unsigned cpu = 0; cpu != kCpus; ++cpu) platform.set_cpu_node(cpu, cpu != 0);
  }

  uint32_t& word(const Page* page) { return *static_cast<uint32_t*>(map.address(page)); }

  // Notes a block that was allocated; what it held must have been nobody's.
  void add(Page* page, unsigned order, bool compound) {
    const uint32_t tag = next_tag++;
    for (uint32_t i = 0; i != 1U << order; ++i) word(page + i) = tag;
    CHECK(map.pfn(page).is_aligned(Order(order)));
    block[count++] = {page, static_cast<uint8_t>(order), compound, 0, tag};
    held += uint64_t{1} << order;
  }
  Block remove(uint32_t i) {
    const Block gone = block[i];
    block[i] = block[--count];
    held -= uint64_t{1} << gone.order;
    return gone;
  }
  // Nobody else has written to the block's frames.
  void check_untouched(const Block& b) {
    bool same = true;
    for (uint32_t i = 0; i != 1U << b.order; ++i) same = same && word(b.page + i) == b.tag;
    CHECK(same);
    CHECK_EQ(b.page->_refcount, 1 + b.extra);
  }

  Gfp any_gfp() {
    constexpr Gfp kMasks[] = {gfp::kKernel,
                              gfp::kKernel,
                              gfp::kAtomic,
                              gfp::kNoWait,
                              gfp::kHighUserMovable,
                              gfp::kNoFs,
                              gfp::kKernel | gfp::kReclaimable};
    Gfp gfp = kMasks[random.below(7)] | gfp::kNoWarn;
    if (random.one_in(8)) gfp |= gfp::kZero;
    if (random.one_in(6)) gfp |= gfp::kComp;
    if (random.one_in(20)) gfp = (gfp & ~gfp::kZoneMask) | gfp::kDma32Bit;
    if (random.one_in(40)) gfp = (gfp & ~gfp::kZoneMask) | gfp::kDmaBit;
    if (random.one_in(20)) gfp |= gfp::kThisNode;
    return gfp;
  }
  unsigned any_order() { return random.one_in(5) ? random.below(11) : random.below(4); }

  void allocate() {
    const Gfp gfp = any_gfp();
    const unsigned order = any_order();
    const NodeId node = random.one_in(3) ? NodeId(random.below(2)) : kNoNode;
    const NodeId home = node == kNoNode ? pages.local_node() : node;
    Page* page = pages.alloc(gfp, Order(order), node);
    if (page == nullptr) return;
    const Zone& zone = pages.zone_of(map.pfn(page));
    CHECK(zone.type <= gfp_zone(gfp));
    if (any(gfp, gfp::kThisNode)) CHECK(zone.node == home);
    if (any(gfp, gfp::kZero)) {
      const auto* bytes = static_cast<const unsigned char*>(map.address(page));
      CHECK(bytes[0] == 0 && bytes[(kPageBytes << order) - 1] == 0);
    }
    const bool compound = any(gfp, gfp::kComp) && order != 0;
    CHECK_EQ(has_flag(*page, QUARRY_PAGE_HEAD), compound);
    add(page, order, compound);
  }

  void release() {
    const uint32_t i = random.below(count);
    check_untouched(block[i]);
    Block b = block[i];
    if (b.extra != 0) {
      // free() of a plain block lets go of all but the first page; put() of the rest.
      if (!b.compound && random.one_in(2)) {
        remove(i);
        pages.free(b.page, Order(b.order));
        for (unsigned k = 1; k != b.extra; ++k) pages.put(b.page);
        CHECK_EQ(word(b.page), b.tag);
        pages.put(b.page);
        return;
      }
      --block[i].extra;
      if (b.compound) {
        pages.put(b.page + random.below(1U << b.order));
      } else {
        pages.put(b.page);
      }
      return;
    }
    remove(i);
    if (b.compound && random.one_in(2)) return pages.put(b.page);
    pages.free(b.page, Order(b.order));
  }

  void reference() {
    Block& b = block[random.below(count)];
    if (b.extra == 3) return;
    ++b.extra;
    pages.get(b.compound ? b.page + random.below(1U << b.order) : b.page);
  }

  void split() {
    const uint32_t i = random.below(count);
    const Block b = block[i];
    if (b.compound || b.extra != 0 || b.order == 0 || b.order > 5) return;
    if (count + (1U << b.order) > kMostBlocks) return;
    remove(i);
    pages.split(b.page, Order(b.order));
    for (uint32_t k = 0; k != 1U << b.order; ++k) add(b.page + k, 0, false);
  }

  void exact() {
    const size_t bytes = random.between(1, 40 * kPageBytes);
    void* memory = pages.alloc_exact(bytes, gfp::kKernel | gfp::kNoWarn);
    if (memory == nullptr) return;
    Page* page = map.page_of(memory);
    const size_t frames = (bytes + kPageBytes - 1) / kPageBytes;
    if (random.one_in(2) || count + frames > kMostBlocks) return pages.free_exact(memory, bytes);
    for (size_t k = 0; k != frames; ++k) add(page + k, 0, false);
  }

  void bulk() {
    Page* list[40] = {};
    const uint32_t wanted = random.between(1, 40);
    const bool filled = random.one_in(2) && count != 0;
    const uint32_t at = random.below(wanted);
    if (filled) list[at] = block[0].page;
    const size_t got =
        pages.alloc_bulk(gfp::kKernel | gfp::kNoWarn, random.one_in(2) ? NodeId(1) : kNoNode,
                         std::span(list, wanted));
    CHECK(got <= wanted);
    for (size_t k = 0; k != wanted; ++k) {
      if (k == at && filled) continue;
      CHECK_EQ(list[k] != nullptr, k < got);
      if (list[k] == nullptr) continue;
      if (count == kMostBlocks) {
        pages.free(list[k], Order(0));
      } else {
        add(list[k], 0, false);
      }
    }
  }

  void step(bool growing) {
    const bool full = count + 64 > kMostBlocks;
    switch (random.below(64)) {
      case 0:
        return platform.on_cpu(random.below(kCpus));
      case 1:
        return count == 0 ? void() : split();
      case 2:
        return full ? void() : exact();
      case 3:
        return full ? void() : bulk();
      case 4:
        return random.one_in(50) ? pages.drain_all() : void();
      case 5:
      case 6:
        return count == 0 ? void() : reference();
      default:
        break;
    }
    if (!full && random.below(10) < (growing ? 7U : 3U)) {
      allocate();
    } else if (count != 0) {
      release();
    }
  }
};

QUARRY_TEST(PageAllocatorModel, every_frame_has_one_owner) {
  Model m;
  REQUIRE(m.boot());
  for (unsigned i = 0; i != harness::operations(kOperations); ++i) {
    m.step(i / 8192 % 2 == 0);
    if (i % 5000 != 0) continue;
    REQUIRE_EQ(m.pages.free_pages() + m.held, m.pages.managed_pages());
    REQUIRE(m.sound());
  }
  while (m.count != 0) m.release();
  CHECK(m.all_free());
  CHECK(m.platform.quiet());
}

}  // namespace
}  // namespace quarry
