// SPDX-License-Identifier: MIT
// Objects that are debugged by the kernel's command line, on the machine itself.
#include "harness.h"
#include "kernel.h"

namespace {

using namespace quarry;

constexpr uint32_t kAll = QUARRY_SLAB_CONSISTENCY_CHECKS | QUARRY_SLAB_RED_ZONE |
                          QUARRY_SLAB_POISON | QUARRY_SLAB_STORE_USER;

unsigned char* alloc(size_t bytes) {
  return static_cast<unsigned char*>(boot::system().kmalloc(bytes, gfp::kKernel));
}

QUARRY_TEST(SlubDebug, overflow) {
  const boot::Balanced balanced;
  const boot::Reports reports;
  unsigned char* const object = alloc(32);
  REQUIRE(object != nullptr);
  CHECK_EQ(reinterpret_cast<uintptr_t>(object) % 32, 0U);
  asm volatile("movb $0, 32(%0)" : : "r"(object) : "memory");
  boot::system().kfree(object);
  CHECK(reports.have("BUG kmalloc-32 (Not tainted): Right Redzone overwritten\n"));
  CHECK(reports.have("First byte 0x0 instead of 0xcc\n"));
  CHECK(reports.have("not freed\n"));
  boot::system().kfree(object);
}

QUARRY_TEST(SlubDebug, write_after_free) {
  const boot::Balanced balanced;
  const boot::Reports reports;
  unsigned char* const object = alloc(40);
  REQUIRE(object != nullptr);
  KmemCache* const cache = boot::system().cache_of(object);
  boot::system().kfree(object);
  asm volatile("movb $1, 3(%0)" : : "r"(object) : "memory");
  const CacheCheck check = boot::system().cache_check(cache);
  CHECK(check.slabs != 0);
  CHECK_EQ(check.errors, 2U);
  CHECK(reports.have("Poison overwritten\n"));
  CHECK(reports.have("Freed in "));
}

QUARRY_TEST(SlubDebug, caches_by_name) {
  const boot::Balanced balanced;
  KmemCache* const named = boot::system().cache_create("named_here", 20, {});
  KmemCache* const other = boot::system().cache_create("other", 20, {});
  REQUIRE(named != nullptr && other != nullptr);
  CHECK_EQ(named->flags & QUARRY_SLAB_DEBUG_FLAGS, kAll);
  CHECK_EQ(other->flags & QUARRY_SLAB_DEBUG_FLAGS, 0U);
  CHECK_EQ(boot::system().find_cache("kmalloc-64")->flags & QUARRY_SLAB_DEBUG_FLAGS, kAll);
  boot::system().cache_destroy(named);
  boot::system().cache_destroy(other);
}

}  // namespace
