// SPDX-License-Identifier: MIT
// The least machine that is of use: one MiB of memory, and SLOB.
#include "frame/boot_page_map.h"
#include "kmem/slob/slob.h"
#include "machine.h"
#include "support/test_platform.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::kMiB;
using quarry::kPageBytes;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

struct SmallMachine : Machine {
  SmallMachine() : Machine{.mib = 1, .engine = SlabEngineKind::kSlob} {}
};

// Bytes that the rooms up to kmem take while they boot, and kmem's part.
struct Taken {
  uint64_t all = 0;
  uint64_t kmem = 0;
};

Taken taken_at_boot(uint64_t ram, unsigned cpus) {
  harness::TestPlatform platform(cpus);
  platform.add_memory(0, ram);
  quarry::Memblock memblock;
  quarry::PageMap map;
  quarry::PageAllocator pages;
  quarry::Rcu rcu;
  quarry::Kmem kmem;
  quarry::Slob slob;
  Taken taken;
  CHECK(memblock.add_all(platform));
  const uint64_t nothing = memblock.reserved().bytes();
  quarry::BootMemory memory(memblock, platform, quarry::PhysAddr(quarry::Arch::kLowmemLimit));
  CHECK(boot_page_map(map, memory, platform));
  CHECK(pages.boot(platform, map, memory, {}));
  const uint64_t before = memblock.reserved().bytes();
  slob.init(kmem, pages);
  CHECK(kmem.boot(pages, slob, rcu, memory, {}, 0));
  taken.all = memblock.reserved().bytes() - nothing;
  taken.kmem = memblock.reserved().bytes() - before;
  return taken;
}

QUARRY_TEST(SmallMachine, metadata_of_slob_fits_in_a_page) {
  const Taken small = taken_at_boot(kMiB, 1);
  CHECK(small.kmem <= 384);
  CHECK(small.all <= 30 * quarry::kKiB);  // of that 16 KiB for the page map
  constexpr uint64_t kLarge = (sizeof(void*) == 8 ? 8 : 1) * quarry::kGiB;
  CHECK(taken_at_boot(kLarge, 16).kmem <= kPageBytes);
}

QUARRY_TEST(SmallMachine, boots_with_nearly_all_of_its_memory_free) {
  SmallMachine m;
  CHECK_EQ(m.idle_slab_pages, 1U);
  CHECK(m.idle_free_pages >= 246);
}

QUARRY_TEST(SmallMachine, runs_until_memory_is_used_up_and_has_all_of_it_back) {
  SmallMachine m;
  KmemCache* inodes = m->cache_create("inode", 600);
  REQUIRE(inodes != nullptr);
  void* area = m->vmalloc(5 * kPageBytes);
  REQUIRE(area != nullptr);
  // A chain of objects of both kinds through their first words.
  struct Link {
    Link* next;
    uintptr_t check;
  };
  Link* first = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0;; ++i) {
    const size_t size = 16 + i % 200;
    void* memory = i % 8 == 0 ? m->cache_alloc(inodes, gfp::kKernel | gfp::kNoWarn)
                              : m->kmalloc(size, gfp::kKernel | gfp::kNoWarn);
    if (memory == nullptr) break;
    bytes += i % 8 == 0 ? 600 : size;
    first = new (memory) Link{first, reinterpret_cast<uintptr_t>(memory) ^ i % 8};
  }
  // All but the watermark's reserve is in use, and nearly all of that with what was asked for.
  CHECK(bytes >= 700 * quarry::kKiB);
  CHECK(m.sound());
  while (first != nullptr) {
    Link* link = first;
    first = link->next;
    const uintptr_t kind = link->check ^ reinterpret_cast<uintptr_t>(link);
    CHECK(kind < 8);
    kind == 0 ? m->cache_free(inodes, link) : m->kfree(link);
  }
  m->vfree(area);
  m->cache_destroy(inodes);
}

}  // namespace
