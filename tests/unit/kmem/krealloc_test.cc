// SPDX-License-Identifier: MIT
// Resizing: in place, moved, from nothing, to nothing, and failing.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::kMiB;
using quarry::kPageBytes;
using quarry::kZeroSizePtr;
namespace gfp = quarry::gfp;

unsigned char* bytes_of(void* memory) { return static_cast<unsigned char*>(memory); }

bool is_filled(const void* memory, size_t from, size_t to, unsigned char value) {
  const auto* byte = static_cast<const unsigned char*>(memory);
  for (size_t i = from; i != to; ++i) {
    if (byte[i] != value) return false;
  }
  return true;
}

QUARRY_TEST(Krealloc, null_is_kmalloc) {
  Machine m;
  void* object = m->krealloc(nullptr, 100, gfp::kKernel);
  REQUIRE(object != nullptr);
  CHECK_EQ(m->ksize(object), 128U);
  m->kfree(object);
  CHECK_EQ(m->krealloc(nullptr, 0, gfp::kKernel), kZeroSizePtr);
}

QUARRY_TEST(Krealloc, zero_bytes_free_the_object) {
  Machine m;
  void* object = m->kmalloc(100, gfp::kKernel);
  const quarry::KmemCache* cache = m->cache_of(object);
  CHECK_EQ(m->krealloc(object, 0, gfp::kKernel), kZeroSizePtr);
  const quarry::CacheInfo info = quarry::MemorySystem::cache_info(*cache);
  CHECK_EQ(info.active_objects, info.cached_objects);
}

QUARRY_TEST(Krealloc, the_zero_size_pointer_grows) {
  Machine m;
  void* object = m->krealloc(kZeroSizePtr, 20, gfp::kKernel);
  REQUIRE(object != nullptr);
  CHECK(object != kZeroSizePtr);
  m->kfree(object);
  CHECK_EQ(m->krealloc(kZeroSizePtr, 0, gfp::kKernel), kZeroSizePtr);
}

QUARRY_TEST(Krealloc, stays_where_it_fits) {
  Machine m;
  void* object = m->kmalloc(100, gfp::kKernel);
  REQUIRE(object != nullptr);
  __builtin_memset(object, 7, 128);
  CHECK_EQ(m->krealloc(object, 128, gfp::kKernel), object);
  CHECK_EQ(m->krealloc(object, 1, gfp::kKernel), object);
  CHECK(is_filled(object, 0, 128, 7));
  m->kfree(object);
}

QUARRY_TEST(Krealloc, clears_the_tail_if_asked) {
  Machine m;
  void* object = m->kmalloc(100, gfp::kKernel);
  REQUIRE(object != nullptr);
  __builtin_memset(object, 7, 128);
  CHECK_EQ(m->krealloc(object, 60, gfp::kKernel | gfp::kZero), object);
  CHECK(is_filled(object, 0, 60, 7));
  CHECK(is_filled(object, 60, 128, 0));
  // Growth beyond the class: all usable bytes move, the rest is zero.
  __builtin_memset(object, 9, 128);
  void* grown = m->krealloc(object, 500, gfp::kKernel | gfp::kZero);
  REQUIRE(grown != nullptr);
  CHECK(grown != object);
  CHECK(is_filled(grown, 0, 128, 9));
  CHECK(is_filled(grown, 128, 512, 0));
  m->kfree(grown);
}

QUARRY_TEST(Krealloc, moves_everything_and_frees_the_old) {
  Machine m;
  size_t bytes = 1;
  void* object = m->kmalloc(bytes, gfp::kKernel);
  REQUIRE(object != nullptr);
  *bytes_of(object) = 0x42;
  for (; bytes != 4 * kMiB; bytes *= 2) {
    __builtin_memset(object, 0x42, bytes);
    object = m->krealloc(object, bytes * 2, gfp::kKernel);
    REQUIRE(object != nullptr);
    CHECK(is_filled(object, 0, bytes, 0x42));
  }
  m->kfree(object);
}

QUARRY_TEST(Krealloc, shrinks_a_large_block_in_place) {
  Machine m;
  void* object = m->kmalloc(6 * kPageBytes, gfp::kKernel);
  REQUIRE(object != nullptr);
  CHECK_EQ(m->krealloc(object, 10, gfp::kKernel), object);
  CHECK_EQ(m->krealloc(object, 8 * kPageBytes, gfp::kKernel), object);
  m->kfree(object);
}

QUARRY_TEST(Krealloc, failure_leaves_the_object) {
  Machine m;
  void* object = m->kmalloc(100, gfp::kKernel);
  REQUIRE(object != nullptr);
  __builtin_memset(object, 7, 128);
  CHECK(m->krealloc(object, 4 * kMiB + 1, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK(is_filled(object, 0, 128, 7));
  CHECK_EQ(m->ksize(object), 128U);
  m->kfree(object);
}

}  // namespace
