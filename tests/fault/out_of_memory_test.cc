// SPDX-License-Identifier: MIT
// A machine that has no page left: every call gives null, says so unless it was told not to, and
// what was there before is untouched.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::Gfp;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

constexpr size_t kMostPages = 16384;

// Holds every page of a machine but what its caches hold: kmalloc-8 and kmalloc-96 have free
// objects beside the names of caches and the nodes of areas.
class Hoard {
 public:
  explicit Hoard(Machine& machine) : m_(machine) {
    for (const NodeId node : {NodeId{0}, NodeId{1}}) {
      while (count_ != kMostPages) {
        Page* page = m_->alloc_pages(gfp::kMemalloc | gfp::kNoWarn, Order{0}, node);
        if (page == nullptr) break;
        pages_[count_++] = page;
      }
    }
    CHECK_EQ(m_->free_page_count(), 0U);
  }
  ~Hoard() {
    while (count_ != 0) give_one();
  }
  void give_one() { m_->put_page(pages_[--count_]); }
  void take(Page* page) { pages_[count_++] = page; }

 private:
  Machine& m_;
  size_t count_ = 0;
  Page* pages_[kMostPages];
};

void check_everything_is_null(Machine& m, KmemCache* cache, Gfp bits) {
  for (const size_t bytes :
       {size_t{40}, size_t{128}, size_t{8192}, size_t{8193}, size_t{4} << 20}) {
    CHECK(m->kmalloc(bytes, bits) == nullptr);
    CHECK(m->kmalloc_node(bytes, bits, NodeId{1}) == nullptr);
    CHECK(m->kvmalloc(bytes, bits) == nullptr);
  }
  constexpr char kText[] = "longer than names of caches, which have a slab";
  CHECK(m->kmemdup(kText, sizeof kText, bits) == nullptr);
  CHECK(m->kstrdup(kText, bits) == nullptr);
  CHECK(m->krealloc(nullptr, 50, bits) == nullptr);
  CHECK(m->cache_alloc(cache, bits) == nullptr);
  void* objects[3];
  CHECK_EQ(m->cache_alloc_bulk(cache, bits, objects), 0U);
  for (unsigned order = 0; order <= 10; ++order) {
    CHECK(m->alloc_pages(bits, Order(order)) == nullptr);
    CHECK(m->get_free_pages(bits, Order(order)) == nullptr);
  }
  CHECK(m->alloc_pages_exact(3 * kPageBytes, bits) == nullptr);
  Page* pages[5] = {};
  CHECK_EQ(m->alloc_pages_bulk(bits, pages), 0U);
  CHECK(m->vmalloc(kPageBytes, bits) == nullptr);
}

QUARRY_TEST(OutOfMemory, everything_is_null) {
  Machine m{.nodes = 2, .mib = 32, .cpus = 2};
  KmemCache* cache = m->cache_create("empty_at_first", 200);
  REQUIRE(cache != nullptr);
  m.give_back_all();
  {
    Hoard hoard(m);
    for (const Gfp bits : {gfp::kKernel, gfp::kUser, gfp::kAtomic, gfp::kNoWait,
                           gfp::kMemalloc | gfp::kKernel, gfp::kKernel | gfp::kRetryMayfail}) {
      check_everything_is_null(m, cache, bits | gfp::kNoWarn);
      CHECK(m.log.empty());
    }
    // Its name needs memory.
    CHECK(m->cache_create("one_more_with_a_name_of_more_than_32_bytes", 64) == nullptr);
    CHECK(m.reported("_more_than_32_bytes) failed with error -12"));
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(OutOfMemory, is_reported_in_the_kernels_words) {
  Machine m{.nodes = 2, .mib = 32, .cpus = 2};
  Hoard hoard(m);
  CHECK(m->kmalloc(5000, gfp::kKernel) == nullptr);
  CHECK_EQ(m.log.count("page allocation failure: order:1, mode:0xcc0(GFP_KERNEL)") +
               m.log.count("page allocation failure: order:1, mode:0x40cc0(GFP_KERNEL|__GFP_COMP)"),
           1U);
  CHECK_EQ(m.log.count("Mem-Info:"), 1U);
  // SLUB names the node that was asked for, SLAB the one it looked on.
  CHECK_EQ(m.log.count(m.engine == quarry::SlabEngineKind::kSlub
                           ? "SLUB: Unable to allocate memory on node -1, gfp=0xcc0(GFP_KERNEL)"
                           : "SLAB: Unable to allocate memory on node 0, gfp=0xcc0(GFP_KERNEL)"),
           1U);
  CHECK(m.reported("cache: kmalloc-8k, object size: 8192, "));
  // Reports of pages are limited to one in ten seconds; those of slabs have their own limit.
  CHECK(m->get_free_pages(gfp::kKernel, Order{0}) == nullptr);
  CHECK(m.log.empty());
  m.platform.advance_clock(10'000'000'001);
  CHECK(m->get_free_pages(gfp::kKernel, Order{0}) == nullptr);
  CHECK(m.reported("page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)"));
}

QUARRY_TEST(OutOfMemory, slabs_report_ten_times_in_five_seconds) {
  Machine m{.mib = 32};
  Hoard hoard(m);
  for (int i = 0; i != 30; ++i) CHECK(m->kmalloc(5000, gfp::kKernel) == nullptr);
  CHECK_EQ(m.log.count(": Unable to allocate memory on node"), 10U);
  m.log.clear();
  m.platform.advance_clock(5'000'000'001);
  CHECK(m->kmalloc(5000, gfp::kKernel) == nullptr);
  CHECK(m.reported(": Unable to allocate memory on node"));
}

// The last page that comes back serves the next request; one more page, one more request.
QUARRY_TEST(OutOfMemory, ends_with_the_first_page_that_comes_back) {
  Machine m{.nodes = 2, .mib = 32, .cpus = 2};
  Hoard hoard(m);
  constexpr Gfp kAll = gfp::kMemalloc | gfp::kKernel | gfp::kNoWarn;
  for (int round = 0; round != 5; ++round) {
    CHECK(m->kmalloc(4096, kAll) == nullptr);
    hoard.give_one();
    hoard.give_one();
    Page* page = m->alloc_pages(kAll, Order{0});
    CHECK(page != nullptr);
    void* object = m->kmalloc(4096, kAll);
    CHECK(object != nullptr);
    CHECK(m->alloc_pages(kAll, Order{0}) == nullptr);
    if (page != nullptr) m->put_page(page);
    m->kfree(object);
    m.give_back_all();
    // For the next round, two fewer pages are hoarded and two more are in use.
    page = m->alloc_pages(kAll, Order{0});
    CHECK(page != nullptr);
    Page* other = m->alloc_pages(kAll, Order{0});
    CHECK(other != nullptr);
    CHECK(m->alloc_pages(kAll, Order{0}) == nullptr);
    hoard.take(page);
    hoard.take(other);
  }
}

// kmalloc(GFP_NOWAIT) stops at the min mark; GFP_ATOMIC goes on; MEMALLOC takes the last page, if
// it may reclaim what is set aside for large atomic requests.
QUARRY_TEST(OutOfMemory, objects_stop_at_the_mark_of_their_flags) {
  uint64_t left[3] = {};
  constexpr Gfp kBits[3] = {gfp::kNoWait, gfp::kAtomic, gfp::kKernel | gfp::kMemalloc};
  Machine m{.mib = 64};
  static void* objects[40000];
  size_t count = 0;
  for (int i = 0; i != 3; ++i) {
    while (count != std::size(objects)) {
      void* object = m->kmalloc(4096, kBits[i] | gfp::kNoWarn);
      if (object == nullptr) break;
      objects[count++] = object;
    }
    left[i] = m->free_page_count();
  }
  CHECK(left[0] > left[1]);
  CHECK(left[1] > left[2]);
  CHECK_EQ(left[2], 0U);
  for (size_t i = 0; i != count; ++i) m->kfree(objects[i]);
}

}  // namespace
