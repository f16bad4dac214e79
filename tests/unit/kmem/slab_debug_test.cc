// SPDX-License-Identifier: MIT
// What SLAB says of misused objects in caches that look for it, in the kernel's words.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

constexpr uint32_t kZones = QUARRY_SLAB_RED_ZONE;
constexpr uint32_t kPoison = QUARRY_SLAB_POISON;
constexpr uint32_t kUser = QUARRY_SLAB_STORE_USER;

KmemCache* make(Machine& m, uint32_t flags, void (*ctor)(void*) = nullptr) {
  return m->cache_create("watched", 40, {.flags = flags, .ctor = ctor});
}

unsigned char* take(Machine& m, KmemCache* cache) {
  return static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
}

// Ordinary use of all kinds of checks and shapes leaves no report.
QUARRY_TEST(SlabDebug, is_silent_while_all_is_well) {
  for (const uint32_t flags :
       {kZones, kPoison, kUser, kZones | kPoison, kZones | kPoison | kUser}) {
    const size_t align = (flags & kZones) != 0 ? 8 : sizeof(void*);
    for (const size_t bytes : {size_t{8}, size_t{40}, size_t{200}, size_t{1000}, size_t{5000}}) {
      Machine m{.nodes = 2, .cpus = 2, .engine = SlabEngineKind::kSlab};
      KmemCache* cache = m->cache_create("watched", bytes, {.flags = flags});
      REQUIRE(cache != nullptr);
      void* objects[100];
      for (unsigned round = 0; round != 3; ++round) {
        for (void*& object : objects) {
          object = m->cache_alloc(cache, gfp::kKernel | (round == 1 ? gfp::kZero : quarry::Gfp{}));
          REQUIRE(object != nullptr);
          CHECK_EQ(reinterpret_cast<uintptr_t>(object) % align, 0U);
          CHECK_EQ(m->ksize(object), bytes);
          __builtin_memset(object, 0x11, bytes);
        }
        m.on_cpu(round % 2);
        for (unsigned i = 0; i != 100; ++i) m->cache_free(cache, objects[i * 37 % 100]);
        CHECK(m.sound());
      }
      m->cache_destroy(cache);
    }
  }
}

QUARRY_TEST(SlabDebug, new_objects_are_poison) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kPoison);
  unsigned char* object = take(m, cache);
  for (unsigned i = 0; i != 39; ++i) CHECK_EQ(object[i], 0x5a);
  CHECK_EQ(object[39], 0xa5);
  m->cache_free(cache, object);
  for (unsigned i = 0; i != 39; ++i) CHECK(object[i] == 0x6b || i < 2);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabDebug, red_zones_stand_around_an_object) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kZones);
  unsigned char* object = take(m, cache);
  uint64_t zones[2];
  __builtin_memcpy(&zones[0], object - 8, 8);
  __builtin_memcpy(&zones[1], object + 40, 8);
  CHECK_EQ(zones[0], 0xD84156C5635688C0U);
  CHECK_EQ(zones[1], 0xD84156C5635688C0U);
  m->cache_free(cache, object);
  __builtin_memcpy(&zones[0], object - 8, 8);
  __builtin_memcpy(&zones[1], object + 40, 8);
  CHECK_EQ(zones[0], 0x09F911029D74E35BU);
  CHECK_EQ(zones[1], 0x09F911029D74E35BU);
  m->cache_destroy(cache);
}

// A write behind the object is told when it is freed, and the object is whole again.
QUARRY_TEST(SlabDebug, writing_beyond_an_object_is_reported) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kZones);
  for (const int at : {40, -1}) {
    unsigned char* object = take(m, cache);
    object[at] = 0x77;
    m->cache_free(cache, object);
    CHECK_EQ(m.log.count("slab error in verify_redzone_free(): cache `watched': memory outside "
                         "object was overwritten\n"),
             1U);
    CHECK_EQ(m.log.count(at < 0 ? "redzone 1:0x774156c5635688c0, redzone 2:0xd84156c5635688c0"
                                : "redzone 1:0xd84156c5635688c0, redzone 2:0xd84156c563568877"),
             1U);
    CHECK(m.reported("Call Trace:"));
    m->cache_free(cache, take(m, cache));
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabDebug, a_double_free_is_reported_and_changes_nothing) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kZones);
  unsigned char* object = take(m, cache);
  unsigned char* other = take(m, cache);
  m->cache_free(cache, object);
  m->cache_free(cache, other);
  m->cache_free(cache, object);
  CHECK_EQ(
      m.log.count("slab error in verify_redzone_free(): cache `watched': double free detected\n"),
      1U);
  CHECK(m.reported("redzone 1:0x9f911029d74e35b, redzone 2:0x9f911029d74e35b"));
  CHECK(m.sound());
  m->cache_destroy(cache);

  // Without red zones the slab's list tells.
  for (const uint32_t flags : {kPoison, kUser}) {
    cache = make(m, flags);
    object = take(m, cache);
    other = take(m, cache);
    m->cache_free(cache, object);
    m->cache_free(cache, other);
    m->cache_free(cache, object);
    quarry::FixedText<128> line;
    format(line, "slab: double free detected in cache 'watched', objp %p\n",
           static_cast<void*>(object));
    CHECK(m.reported(line.c_str()));
    CHECK(m.sound());
    m->cache_destroy(cache);
  }
}

QUARRY_TEST(SlabDebug, a_use_after_free_is_reported_with_its_neighbours) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kPoison | kZones | kUser);
  unsigned char* kept = take(m, cache);
  unsigned char* object = take(m, cache);
  __builtin_memset(kept, 'k', 40);
  m->cache_free(cache, object);
  object[17] = 'x';
  CHECK(take(m, cache) == object);
  quarry::FixedText<256> line;
  format(line, "Slab corruption (Not tainted): watched start=%p, len=40\n",
         static_cast<void*>(object));
  CHECK_EQ(m.log.count(line.c_str()), 1U);
  CHECK_EQ(m.log.count("Redzone: 0x9f911029d74e35b/0x9f911029d74e35b\n"), 2U);
  CHECK_EQ(m.log.count("Redzone: 0xd84156c5635688c0/0xd84156c5635688c0\n"), 1U);
  CHECK_EQ(m.log.count("Last user: ("), 3U);
  CHECK_EQ(m.log.count("010: 6b 78 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kxkkkkkkkkkkkkkk\n"),
           1U);
  line.clear();
  format(line, "Prev obj: start=%p, len=40\n", static_cast<void*>(kept));
  CHECK_EQ(m.log.count(line.c_str()), 1U);
  CHECK_EQ(m.log.count("000: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"),
           2U);
  CHECK_EQ(m.log.count("Single bit error"), 0U);
  CHECK(m.reported("Next obj: start="));
  m->cache_free(cache, object);
  m->cache_free(cache, kept);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabDebug, one_wrong_bit_is_laid_on_the_memory) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kPoison);
  take(m, cache);
  unsigned char* object = take(m, cache);
  m->cache_free(cache, object);
  object[20] ^= 0x10;
  m->cache_free(cache, take(m, cache));
  CHECK_EQ(m.log.count("Single bit error detected. Probably bad RAM.\n"
                       "Run memtest86+ or a similar memory test tool.\n"),
           1U);
  CHECK(m.reported("Slab corruption"));
  m->cache_free(cache, object - cache->size);
  m->cache_destroy(cache);
}

// Slabs are looked through when they are given up.
QUARRY_TEST(SlabDebug, what_was_written_meanwhile_is_found_when_a_slab_goes) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kPoison | kZones);
  void* first = take(m, cache);
  unsigned char* object = take(m, cache);
  m->cache_free(cache, first);
  m->cache_free(cache, object);
  object[-8] = 1;
  object[40] = 2;
  object[5] = 3;
  m->cache_destroy(cache);
  CHECK_EQ(m.log.count("slab error in slab_destroy_debugcheck(): cache `watched': start of a freed "
                       "object was overwritten\n"),
           1U);
  CHECK_EQ(m.log.count("slab error in slab_destroy_debugcheck(): cache `watched': end of a freed "
                       "object was overwritten\n"),
           1U);
  CHECK(m.reported("Slab corruption (Not tainted): watched start="));
}

QUARRY_TEST(SlabDebug, a_broken_zone_of_a_free_object_is_found_when_it_is_taken) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kZones);
  unsigned char* object = take(m, cache);
  m->cache_free(cache, object);
  object[-1] = 0;
  CHECK(take(m, cache) == object);
  CHECK(
      m.reported("slab error in cache_alloc_debugcheck_after(): cache `watched': double free, or "
                 "memory outside object was overwritten\n"));
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabDebug, a_pointer_into_an_object_is_refused) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kZones);
  unsigned char* object = take(m, cache);
  m->cache_free(cache, object + 4);
  CHECK(m.reported("slab error in cache_free_debugcheck(): cache `watched': "));
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

void construct(void* object) { __builtin_memset(object, 0xc7, 40); }
void construct_too_much(void* object) { __builtin_memset(object, 0xc7, 41); }

// Poison would not outlast being constructed once, so such objects are constructed when taken.
QUARRY_TEST(SlabDebug, constructors_and_poison_go_together) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kPoison | kZones, construct);
  for (unsigned round = 0; round != 2; ++round) {
    unsigned char* object = take(m, cache);
    for (unsigned i = 0; i != 40; ++i) CHECK_EQ(object[i], 0xc7);
    __builtin_memset(object, round, 40);
    m->cache_free(cache, object);
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabDebug, a_constructor_that_writes_too_much_is_reported) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kZones, construct_too_much);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  CHECK(
      m.reported("slab error in cache_init_objs_debug(): cache `watched': constructor overwrote "
                 "the end of an object\n"));
  m->cache_free(cache, object);
  m->cache_destroy(cache);
  m.reported("slab error in slab_destroy_debugcheck()");
}

QUARRY_TEST(SlabDebug, the_last_user_is_who_called) {
  Machine m{.engine = SlabEngineKind::kSlab};
  KmemCache* cache = make(m, kUser);
  unsigned char* object = take(m, cache);
  uintptr_t user = 0;
  __builtin_memcpy(&user, object + cache->size - sizeof(user), sizeof(user));
  CHECK(user != 0);
  m->cache_free(cache, object);
  uintptr_t freed_by = 0;
  __builtin_memcpy(&freed_by, object + cache->size - sizeof(user), sizeof(user));
  CHECK(freed_by != 0 && freed_by != user);
  m->cache_destroy(cache);
}

}  // namespace
