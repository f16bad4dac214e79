// SPDX-License-Identifier: MIT
// Requests from the wrong context, and requests with bits that make no sense for objects.
#include "machine.h"
#include "sync/execution_context.h"

namespace {

using harness::Machine;
using quarry::ContextGuard;
using quarry::KmemCache;
using quarry::kPageBytes;
namespace gfp = quarry::gfp;

constexpr const char* kInvalid = "BUG: sleeping function called from invalid context";

[[gnu::noinline]] void* sleeping_request(Machine& m, size_t bytes) {
  void* object = m->kmalloc(bytes, gfp::kKernel);
  asm volatile("" ::: "memory");  // no tail call: the report shall name this function
  return object;
}

QUARRY_TEST(Context, sleeping_in_an_atomic_section_is_reported_once_a_place) {
  for (const size_t bytes : {size_t{64}, size_t{20000}}) {
    Machine m;
    ContextGuard atomic(&quarry_context::atomic_depth);
    for (int round = 0; round != 40; ++round) {
      void* object = sleeping_request(m, bytes);
      CHECK(object != nullptr);  // reported and served
      m->kfree(object);
    }
    CHECK_EQ(m.log.count(kInvalid), 1U);
    CHECK_EQ(m.log.count("in_atomic(): 1, irqs_disabled(): 0"), 1U);
    CHECK_EQ(m.log.count("Preemption disabled at:"), 1U);
    CHECK_EQ(m.log.count("Call Trace:"), 1U);
    CHECK(m.reported(kInvalid));
    // Another place is another report.
    void* object = m->kmalloc(bytes, gfp::kKernel);
    m->kfree(object);
    CHECK_EQ(m.log.count(kInvalid), 1U);
    CHECK(m.reported(kInvalid));
  }
}

QUARRY_TEST(Context, every_kind_of_section_forbids_sleeping) {
  uint32_t quarry_context::*const kinds[] = {
      &quarry_context::atomic_depth, &quarry_context::irq_off_depth, &quarry_context::softirq_depth,
      &quarry_context::hardirq_depth};
  for (const auto kind : kinds) {
    Machine m;
    {
      ContextGuard section(kind);
      void* object = m->kmalloc(64, gfp::kKernel);
      CHECK(m.reported(kInvalid));
      m->kfree(object);
      object = m->kmalloc(64, gfp::kAtomic);
      m->kfree(object);
      object = m->kmalloc(64, gfp::kNoWait);
      m->kfree(object);
    }
    void* object = m->kmalloc(64, gfp::kKernel);
    m->kfree(object);
  }
}

QUARRY_TEST(Context, every_call_is_checked_and_not_only_those_that_need_memory) {
  Machine m;
  KmemCache* cache = m->cache_create("checked", 64);
  REQUIRE(cache != nullptr);
  void* objects[2] = {m->cache_alloc(cache, gfp::kKernel), nullptr};
  m->cache_free(cache, objects[0]);  // the next one is in the array
  {
    ContextGuard atomic(&quarry_context::atomic_depth);
    void* object = m->cache_alloc(cache, gfp::kKernel);
    CHECK(m.reported(kInvalid));
    m->cache_free(cache, object);
    object = m->cache_alloc_node(cache, gfp::kKernel, quarry::NodeId{0});
    CHECK(m.reported(kInvalid));
    m->cache_free(cache, object);
    CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, objects), 2U);
    CHECK(m.reported(kInvalid));
    m->cache_free_bulk(cache, objects);
    CHECK_EQ(m->kmalloc(0, gfp::kKernel), quarry::kZeroSizePtr);
    CHECK(m.reported(kInvalid));
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(Context, nothing_may_be_requested_in_nmi) {
  Machine m;
  void* object = nullptr;
  {
    ContextGuard nmi(&quarry_context::nmi_depth);
    object = m->kmalloc(64, gfp::kAtomic);
    CHECK(m.reported(kInvalid));
  }
  m->kfree(object);
}

QUARRY_TEST(Context, caches_are_not_made_in_interrupts) {
  Machine m;
  ContextGuard irq(&quarry_context::hardirq_depth);
  CHECK(m->cache_create("late", 64) == nullptr);
  CHECK_EQ(m.log.count("kmem_cache_create_usercopy(late) failed with error -22\n"), 1U);
  CHECK(m.reported("interrupt"));
}

QUARRY_TEST(BugMask, is_reported_only_where_pages_are_needed) {
  Machine m;
  // The first needs a slab, of a size that nothing else uses, the second is in the array.
  void* first = m->kmalloc(500, gfp::kKernel | gfp::kHighmemBit);
  CHECK_EQ(m.log.count("Unexpected gfp: 0x2 (__GFP_HIGHMEM). Fixing up to gfp: 0xcc0 (GFP_KERNEL). "
                       "Fix your code!"),
           1U);
  CHECK(m.reported("Call Trace:"));
  void* second = m->kmalloc(500, gfp::kKernel | gfp::kHighmemBit);
  CHECK(m.log.empty());
  void* large = m->kmalloc(3 * kPageBytes, gfp::kKernel | gfp::kDma32);
  CHECK_EQ(m.log.count("Unexpected gfp: 0x4 (GFP_DMA32). Fixing up to gfp: 0xcc0 (GFP_KERNEL). "
                       "Fix your code!"),
           1U);
  CHECK(m.reported("Call Trace:"));
  m->kfree(first);
  m->kfree(second);
  m->kfree(large);
}

}  // namespace
