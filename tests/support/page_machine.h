// SPDX-License-Identifier: MIT
#pragma once

#include "frame/boot_page_map.h"
#include "support/test_platform.h"
#include "support/zones.h"
#include "zone/page_allocator.h"

// A page allocator on a TestPlatform:
//
//   PageMachine m;
//   m.platform.add_memory(0, 64 * kMiB);
//   REQUIRE(m.boot());
//   Page* page = m.pages.alloc(gfp::kKernel, Order(0));
namespace harness {

struct PageMachine {
  TestPlatform platform;
  quarry::Memblock memblock{};
  quarry::PageMap map{};
  quarry::PageAllocator pages{};
  bool booted = false;

  explicit PageMachine(unsigned cpus = 1) : platform(cpus) {}

  [[nodiscard]] bool boot(const quarry::PageAllocatorOptions& options = {}) {
    if (!memblock.add_all(platform)) return false;
    quarry::BootMemory memory(memblock, platform, quarry::PhysAddr(quarry::Arch::kLowmemLimit));
    booted = boot_page_map(map, memory, platform) && pages.boot(platform, map, memory, options);
    if (booted) pages.hand_over(memblock);
    return booted;
  }
  // One node with memory from 0 on.
  [[nodiscard]] bool boot_mib(unsigned mib = 64) {
    platform.add_memory(0, mib * quarry::kMiB);
    return boot();
  }

  quarry::Zone& zone(quarry::ZoneType type, int node = 0) {
    return pages.node(quarry::NodeId(node)).zone(type);
  }
  uint32_t pfn(const quarry::Page* page) const { return map.pfn(page).value(); }

  bool sound() {
    quarry::FixedText<512> problem;
    if (pages.validate(&problem)) return true;
    fail(__FILE__, __LINE__, problem.c_str());
    return false;
  }
  // Whether all memory is free again, and all is sound.
  bool all_free() {
    pages.drain_all();
    return CHECK_EQ(pages.free_pages(), pages.managed_pages()) && sound();
  }
};

// Pages in the order in which they were allocated, linked through their owner's word.
class PageChain {
 public:
  void add(quarry::Page* page) {
    page->private_ = reinterpret_cast<unsigned long>(last_);
    last_ = page;
    ++count_;
  }
  // Allocates blocks until there is no more; how many. The chain has them.
  uint64_t drain(quarry::PageAllocator& pages, quarry::Gfp gfp, quarry::Order order = {},
                 quarry::NodeId node = quarry::kNoNode) {
    const uint64_t before = count_;
    while (quarry::Page* page = pages.alloc(gfp | quarry::gfp::kNoWarn, order, node)) add(page);
    return count_ - before;
  }
  // The page added last; null: none left.
  quarry::Page* pop() {
    quarry::Page* page = last_;
    if (page == nullptr) return nullptr;
    last_ = reinterpret_cast<quarry::Page*>(page->private_);
    --count_;
    return page;
  }
  void free_all(quarry::PageAllocator& pages, quarry::Order order = {}) {
    while (quarry::Page* page = pop()) pages.free(page, order);
  }
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  quarry::Page* last_ = nullptr;
  uint64_t count_ = 0;
};

}  // namespace harness
