// SPDX-License-Identifier: MIT
// Writes where nobody should, and counts: the cases of Linux's KUnit suite for SLUB with its exact
// numbers, each report and each repair being one.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

// A cache that the command line does not touch, and the errors of its checks.
struct Suite {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache;
  int errors = 0;
  int* before = quarry::count_slab_errors(&errors);

  Suite(const char* name, size_t bytes, uint32_t flags)
      : cache(m->cache_create(name, bytes, {.flags = flags | QUARRY_SLAB_NO_USER_FLAGS})) {}
  ~Suite() {
    quarry::count_slab_errors(before);
    CHECK(m.log.empty());
    if (cache != nullptr) m->cache_destroy(cache);
  }
  Suite(const Suite&) = delete;
  Suite& operator=(const Suite&) = delete;

  unsigned char* alloc() {
    return static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
  }
  // An object that was freed again.
  unsigned char* freed() {
    unsigned char* const object = alloc();
    m->cache_free(cache, object);
    return object;
  }
  // Errors of one check of the cache; both ways of counting agree.
  int check() {
    errors = 0;
    CHECK_EQ(m->cache_check(cache).errors, errors);
    return errors;
  }
};

QUARRY_TEST(SlabErrors, red_zone_of_an_object_in_use) {
  Suite s("TestSlub_RZ_alloc", 64, QUARRY_SLAB_RED_ZONE);
  unsigned char* const p = s.alloc();
  p[64] = 0x12;
  CHECK_EQ(s.check(), 2);
  CHECK_EQ(s.check(), 0);
  s.m->cache_free(s.cache, p);
}

QUARRY_TEST(SlabErrors, link_of_a_free_object) {
  Suite s("TestSlub_next_ptr_free", 64, QUARRY_SLAB_POISON);
  unsigned char* const p = s.freed();
  auto* const link = reinterpret_cast<uintptr_t*>(p + s.cache->offset);
  const uintptr_t was = *link;
  *link = ~*link;
  // The chain is corrupt, and then the number of objects is wrong and corrected.
  CHECK_EQ(s.check(), 3);
  // The link repaired, the number is wrong again.
  *link = was;
  CHECK_EQ(s.check(), 2);
  CHECK_EQ(s.check(), 0);
}

QUARRY_TEST(SlabErrors, first_word_of_a_free_object) {
  Suite s("TestSlub_1th_word_free", 64, QUARRY_SLAB_POISON);
  *s.freed() = 0x78;
  CHECK_EQ(s.check(), 2);
  CHECK_EQ(s.check(), 0);
}

QUARRY_TEST(SlabErrors, fiftieth_byte_of_a_free_object) {
  Suite s("TestSlub_50th_word_free", 64, QUARRY_SLAB_POISON);
  s.freed()[50] = 0x9a;
  CHECK_EQ(s.check(), 2);
  CHECK_EQ(s.check(), 0);
}

QUARRY_TEST(SlabErrors, red_zone_of_a_free_object) {
  Suite s("TestSlub_RZ_free", 64, QUARRY_SLAB_RED_ZONE);
  s.freed()[64] = 0xab;
  CHECK_EQ(s.check(), 2);
  CHECK_EQ(s.check(), 0);
}

// What kmalloc was not asked for: 18 bytes of an object of 32.
QUARRY_TEST(SlabErrors, slack_of_kmalloc) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPU,kmalloc-32"};
  auto* const p = static_cast<unsigned char*>(m->kmalloc(18, gfp::kKernel));
  REQUIRE(p != nullptr);
  int errors = 0;
  int* const before = quarry::count_slab_errors(&errors);
  p[18] = 0xab;
  p[19] = 0xab;
  CHECK_EQ(m->cache_check(m->cache_of(p)).errors, 2U);
  quarry::count_slab_errors(before);
  CHECK_EQ(errors, 2);
  m->kfree(p);
}

QUARRY_TEST(SlabErrors, an_object_left_when_its_cache_is_destroyed) {
  Suite s("TestSlub_leak_destroy", 64, QUARRY_SLAB_STORE_USER);
  void* const p = s.alloc();
  s.m->cache_destroy(s.cache);
  CHECK_EQ(s.errors, 2);  // the slab and the object
  CHECK(s.m.reported("Slab cache still has objects"));
  s.m->cache_free(s.cache, p);
}

}  // namespace
