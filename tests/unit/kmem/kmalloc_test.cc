// SPDX-License-Identifier: MIT
// What kmalloc gives for each size: class, alignment, usable bytes, contents.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::kMiB;
using quarry::kPageBytes;
using quarry::kZeroSizePtr;
using quarry::MemorySystem;
namespace gfp = quarry::gfp;

constexpr size_t kClassBytes[] = {8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192};
constexpr const char* kClassNames[] = {"kmalloc-8",   "kmalloc-16",  "kmalloc-32",  "kmalloc-64",
                                       "kmalloc-96",  "kmalloc-128", "kmalloc-192", "kmalloc-256",
                                       "kmalloc-512", "kmalloc-1k",  "kmalloc-2k",  "kmalloc-4k",
                                       "kmalloc-8k"};
constexpr size_t kMaxBytes = 4 * kMiB;

bool is_filled(const void* memory, size_t bytes, unsigned char value) {
  const auto* byte = static_cast<const unsigned char*>(memory);
  for (size_t i = 0; i != bytes; ++i) {
    if (byte[i] != value) return false;
  }
  return true;
}

// The smallest class that holds `bytes`, found the long way round. SLAB begins at 32.
size_t class_of(const Machine& m, size_t bytes) {
  size_t c = m.engine == quarry::SlabEngineKind::kSlab ? 2 : 0;
  while (kClassBytes[c] < bytes) ++c;
  return c;
}

QUARRY_TEST(Kmalloc, each_size_comes_from_its_class) {
  Machine m;
  for (size_t bytes = 1; bytes <= kClassBytes[12]; ++bytes) {
    void* object = m->kmalloc(bytes, gfp::kKernel);
    REQUIRE(object != nullptr);
    const KmemCache* cache = m->cache_of(object);
    REQUIRE(cache != nullptr);
    const quarry::CacheInfo info = MemorySystem::cache_info(*cache);
    CHECK_TEXT(info.name, kClassNames[class_of(m, bytes)]);
    CHECK_EQ(info.object_size, kClassBytes[class_of(m, bytes)]);
    CHECK_EQ(m->ksize(object), info.object_size);
    CHECK_EQ(m->kmalloc_size_roundup(bytes), info.object_size);
    m->kfree(object);
  }
}

QUARRY_TEST(Kmalloc, powers_of_two_are_naturally_aligned) {
  Machine m;
  constexpr size_t kMost = 40;
  for (size_t bytes = 1; bytes <= kMaxBytes; bytes *= 2) {
    void* objects[kMost];
    const size_t count = bytes <= 8192 ? kMost : 2;
    const size_t align = bytes < 8 ? 8 : bytes;
    for (size_t i = 0; i != count; ++i) {
      objects[i] = m->kmalloc(bytes, gfp::kKernel);
      REQUIRE(objects[i] != nullptr);
      CHECK_EQ(reinterpret_cast<uintptr_t>(objects[i]) % align, 0U);
    }
    for (size_t i = 0; i != count; ++i) m->kfree(objects[i]);
  }
  for (const size_t bytes : {96, 192}) {
    void* object = m->kmalloc(bytes, gfp::kKernel);
    CHECK_EQ(reinterpret_cast<uintptr_t>(object) % 8, 0U);
    m->kfree(object);
  }
}

QUARRY_TEST(Kmalloc, objects_of_a_class_do_not_overlap) {
  Machine m;
  constexpr size_t kCount = 150;  // more than a slab and an array hold
  for (const size_t bytes : kClassBytes) {
    unsigned char* objects[kCount];
    for (size_t i = 0; i != kCount; ++i) {
      objects[i] = static_cast<unsigned char*>(m->kmalloc(bytes, gfp::kKernel));
      REQUIRE(objects[i] != nullptr);
      __builtin_memset(objects[i], static_cast<int>(i), bytes);
    }
    for (size_t i = 0; i != kCount; ++i) {
      CHECK(is_filled(objects[i], bytes, static_cast<unsigned char>(i)));
      m->kfree(objects[i]);
    }
  }
}

QUARRY_TEST(Kmalloc, zero_bytes_give_the_zero_size_pointer) {
  Machine m;
  CHECK_EQ(m->kmalloc(0, gfp::kKernel), kZeroSizePtr);
  CHECK_EQ(m->kzalloc(0, gfp::kAtomic), kZeroSizePtr);
  CHECK_EQ(m->kmalloc_node(0, gfp::kKernel, quarry::NodeId{0}), kZeroSizePtr);
  CHECK_EQ(m->kcalloc(0, 8, gfp::kKernel), kZeroSizePtr);
  CHECK_EQ(reinterpret_cast<uintptr_t>(kZeroSizePtr), 16U);
  CHECK_EQ(m->ksize(kZeroSizePtr), 0U);
  CHECK_EQ(m->ksize(nullptr), 0U);
  CHECK_EQ(m->kmalloc_size_roundup(0), 0U);
  m->kfree(kZeroSizePtr);
  m->kfree(nullptr);
  m->kfree_sensitive(nullptr);
  m->kfree_sensitive(kZeroSizePtr);
  CHECK_EQ(m->slab_page_count(), m.idle_slab_pages);
}

QUARRY_TEST(Kmalloc, large_requests_are_whole_blocks) {
  Machine m;
  for (const size_t bytes : {size_t{8193}, size_t{12289}, 100 * kPageBytes, kMaxBytes}) {
    size_t rounded = kPageBytes;
    while (rounded < bytes) rounded *= 2;
    const uint64_t free_before = m->free_page_count();
    void* object = m->kmalloc(bytes, gfp::kKernel);
    REQUIRE(object != nullptr);
    CHECK_EQ(m->ksize(object), rounded);
    CHECK_EQ(m->kmalloc_size_roundup(bytes), rounded);
    CHECK_EQ(reinterpret_cast<uintptr_t>(object) % rounded, 0U);
    CHECK_EQ(free_before - m->free_page_count(), rounded / kPageBytes);
    CHECK(m->cache_of(object) == nullptr);
    __builtin_memset(object, 0xa5, rounded);
    m->kfree(object);
    CHECK_EQ(m->free_page_count(), free_before);
  }
  CHECK_EQ(m->slab_page_count(), m.idle_slab_pages);
}

QUARRY_TEST(Kmalloc, beyond_four_mib_is_reported_and_null) {
  Machine m;
  CHECK(m->kmalloc(kMaxBytes + 1, gfp::kKernel) == nullptr);
  CHECK(m.reported("WARNING"));
  CHECK(m->kmalloc(kMaxBytes + 1, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK(m.log.empty());
  for (const size_t bytes : {64 * kMiB, SIZE_MAX / 2, SIZE_MAX - 4096, SIZE_MAX}) {
    CHECK(m->kmalloc(bytes, gfp::kKernel | gfp::kNoWarn) == nullptr);
    CHECK_EQ(m->kmalloc_size_roundup(bytes), bytes);
  }
}

// No information leaks: what is beyond the request is zero too.
QUARRY_TEST(Kmalloc, zeroed_memory_is_zero_where_it_was_used_before) {
  Machine m;
  for (const size_t bytes : {size_t{5}, size_t{96}, size_t{100}, size_t{8192}, 5 * kPageBytes}) {
    void* objects[100];
    size_t usable = 0;
    for (void*& object : objects) {
      object = m->kmalloc(bytes, gfp::kKernel);
      REQUIRE(object != nullptr);
      usable = m->ksize(object);
      __builtin_memset(object, 0xff, usable);
    }
    for (void* object : objects) m->kfree(object);
    for (size_t i = 0; i != std::size(objects); ++i) {
      objects[i] =
          i % 2 == 0 ? m->kzalloc(bytes, gfp::kKernel) : m->kcalloc(1, bytes, gfp::kKernel);
      CHECK(is_filled(objects[i], usable, 0));
      __builtin_memset(objects[i], 0xff, usable);
    }
    for (void* object : objects) m->kfree(object);
  }
}

QUARRY_TEST(Kmalloc, sensitive_memory_is_cleared_on_free) {
  Machine m;
  for (const size_t bytes : {size_t{20}, size_t{200}, 4 * kPageBytes}) {
    auto* secret = static_cast<unsigned char*>(m->kmalloc(bytes, gfp::kKernel));
    REQUIRE(secret != nullptr);
    const size_t usable = m->ksize(secret);
    __builtin_memset(secret, 0x5e, usable);
    m->kfree_sensitive(secret);
    size_t left = 0;
    for (size_t i = 0; i != usable; ++i) left += secret[i] == 0x5e ? 1 : 0;
    CHECK(left < sizeof(void*));  // a link of the allocator may lie there, the secret may not
  }
}

QUARRY_TEST(Kmalloc, array_sizes_that_overflow_are_null_without_a_report) {
  Machine m;
  CHECK(m->kmalloc_array(SIZE_MAX / 8 + 1, 8, gfp::kKernel) == nullptr);
  CHECK(m->kmalloc_array(8, SIZE_MAX / 8 + 1, gfp::kKernel) == nullptr);
  CHECK(m->kcalloc(SIZE_MAX, SIZE_MAX, gfp::kKernel) == nullptr);
  CHECK(m.log.empty());
  void* array = m->kmalloc_array(10, 12, gfp::kKernel);
  CHECK_EQ(m->ksize(array), 128U);
  m->kfree(array);
}

QUARRY_TEST(Kmalloc, copies_of_memory_and_text) {
  Machine m;
  const char text[] = "a ring buffer of 300 bytes";
  auto* copy = static_cast<char*>(m->kmemdup(text, sizeof text, gfp::kKernel));
  REQUIRE(copy != nullptr);
  CHECK_TEXT(copy, text);
  char* string = m->kstrdup(text, gfp::kKernel);
  REQUIRE(string != nullptr);
  CHECK_TEXT(string, text);
  CHECK(string != copy);
  CHECK_EQ(m->ksize(string), 32U);
  char* nothing = m->kstrdup("", gfp::kKernel);
  REQUIRE(nothing != nullptr);
  CHECK_EQ(m->ksize(nothing), kClassBytes[class_of(m, 1)]);
  CHECK_TEXT(nothing, "");
  CHECK(m->kmemdup(nullptr, 8, gfp::kKernel) == nullptr);
  CHECK(m->kstrdup(nullptr, gfp::kKernel) == nullptr);
  CHECK_EQ(m->kmemdup(text, 0, gfp::kKernel), kZeroSizePtr);
  m->kfree(copy);
  m->kfree(string);
  m->kfree(nothing);
}

}  // namespace
