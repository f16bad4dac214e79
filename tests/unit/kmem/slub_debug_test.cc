// SPDX-License-Identifier: MIT
// Caches that are debugged: what the bytes around objects are, what is found, and that everything
// else goes on.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::MemorySystem;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

constexpr uint32_t kF = QUARRY_SLAB_CONSISTENCY_CHECKS;
constexpr uint32_t kZ = QUARRY_SLAB_RED_ZONE;
constexpr uint32_t kP = QUARRY_SLAB_POISON;
constexpr uint32_t kU = QUARRY_SLAB_STORE_USER;
constexpr uint32_t kAll = kF | kZ | kP | kU;
constexpr uint32_t kWord = sizeof(void*);

bool all_are(const unsigned char* bytes, size_t count, unsigned char value) {
  for (size_t i = 0; i != count; ++i) {
    if (bytes[i] != value) return false;
  }
  return true;
}

unsigned char* alloc(Machine& m, KmemCache* cache) {
  return static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
}

QUARRY_TEST(SlubDebug, bytes_around_an_object) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("bytes", 61, {.flags = kAll});
  unsigned char* const p = alloc(m, cache);
  CHECK(all_are(p - kWord, kWord, 0xcc));
  CHECK(all_are(p, 60, 0x6b) && p[60] == 0xa5);
  CHECK(all_are(p + 61, 3, 0xcc));
  const size_t end = cache->size - kWord;  // where the next slot begins
  CHECK(all_are(p + end - kWord, kWord, 0x5a));
  m->cache_free(cache, p);
  CHECK(all_are(p - kWord, kWord, 0xbb));
  CHECK(all_are(p, 60, 0x6b) && p[60] == 0xa5);
  CHECK(all_are(p + 61, 3, 0xbb));
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, no_arrays_stand_before_it) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("direct", 64, {.flags = kZ});
  CHECK_EQ(MemorySystem::cache_info(*cache).array_capacity, 0U);
  void* const p = m->cache_alloc(cache, gfp::kKernel);
  CHECK_EQ(MemorySystem::cache_info(*cache).active_objects, 1U);
  m->cache_free(cache, p);
  CHECK_EQ(MemorySystem::cache_info(*cache).active_objects, 0U);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, kmalloc_stays_naturally_aligned) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPU"};
  for (size_t bytes = 8; bytes <= 8192; bytes *= 2) {
    void* objects[5];
    for (void*& object : objects) {
      object = m->kmalloc(bytes, gfp::kKernel);
      REQUIRE(object != nullptr);
      CHECK_EQ(reinterpret_cast<uintptr_t>(object) % bytes, 0U);
      __builtin_memset(object, 0xee, bytes);
    }
    for (void* object : objects) m->kfree(object);
  }
}

QUARRY_TEST(SlubDebug, sizes_agree_in_every_mode) {
  for (const char* mode : {"-", "F", "Z", "P", "U", "ZU", "FZPU", "PU", "FZPUT,none"}) {
    Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = mode};
    for (size_t bytes = 1; bytes <= 8192; bytes += 1 + bytes / 9) {
      void* const p = m->kmalloc(bytes, gfp::kKernel);
      CHECK_EQ(m->ksize(p), m->kmalloc_size_roundup(bytes));
      __builtin_memset(p, 0x11, m->ksize(p));  // whoever asked may use it
      m->kfree(p);
    }
  }
}

QUARRY_TEST(SlubDebug, krealloc_moves_the_red_zone) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPU,kmalloc-*"};
  auto* p = static_cast<unsigned char*>(m->kmalloc(40, gfp::kKernel));
  __builtin_memset(p, 1, 40);
  CHECK(all_are(p + 40, 24, 0xcc));
  CHECK(m->krealloc(p, 50, gfp::kKernel | gfp::kZero) == p);
  CHECK(all_are(p, 40, 1) && all_are(p + 40, 10, 0) && all_are(p + 50, 14, 0xcc));
  CHECK(m->krealloc(p, 33, gfp::kKernel) == p);
  CHECK(all_are(p, 33, 1) && all_are(p + 33, 31, 0xcc));
  auto* const grown = static_cast<unsigned char*>(m->krealloc(p, 100, gfp::kKernel));
  CHECK(all_are(grown, 33, 1) && all_are(grown + 100, 28, 0xcc));
  m->kfree(grown);
}

// krealloc() copies what was asked for; whoever asked for the size may have used all of it.
QUARRY_TEST(SlubDebug, krealloc_keeps_what_ksize_allowed) {
  for (const char* mode : {"U", "FZPU"}) {
    Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = mode};
    auto* const p = static_cast<unsigned char*>(m->kmalloc(40, gfp::kKernel));
    __builtin_memset(p, 7, m->ksize(p));
    auto* const grown = static_cast<unsigned char*>(m->krealloc(p, 100, gfp::kKernel));
    CHECK(all_are(grown, 64, 7));
    m->kfree(grown);
  }
}

QUARRY_TEST(SlubDebug, asking_for_the_size_of_no_object_changes_nothing) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPU"};
  auto* const p = static_cast<unsigned char*>(m->kmalloc(40, gfp::kKernel));
  KmemCache* const cache = m->cache_of(p);
  for (int offset = -64; offset != 150; ++offset) {
    if (offset != 0) CHECK_EQ(m->ksize(p + offset), 64U);
  }
  CHECK_EQ(m->cache_check(cache).errors, 0U);
  CHECK(all_are(p + 40, 24, 0xcc));
  m->kfree(p);
}

QUARRY_TEST(SlubDebug, zeroed_objects_keep_their_red_zone) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPU"};
  auto* const p = static_cast<unsigned char*>(m->kzalloc(100, gfp::kKernel));
  CHECK(all_are(p, 100, 0) && all_are(p + 100, 28, 0xcc));
  m->kfree(p);
  KmemCache* cache = m->cache_create("zeroed", 100, {});
  unsigned char* const q =
      static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel | gfp::kZero));
  CHECK(all_are(q, 100, 0));
  m->cache_free(cache, q);
  m->cache_destroy(cache);
}

// Objects made once and freed in that state.
void construct(void* object) { __builtin_memset(object, 0x42, 48); }

QUARRY_TEST(SlubDebug, constructed_objects_are_not_poisoned) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("made", 48, {.flags = kAll, .ctor = construct});
  for (int round = 0; round != 3; ++round) {
    unsigned char* const p = alloc(m, cache);
    CHECK(all_are(p, 48, 0x42));
    m->cache_free(cache, p);
    CHECK(all_are(p, 48, 0x42));
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, the_command_line_names_caches) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "z,kmalloc-64,some*;U,other"};
  KmemCache* some = m->cache_create("something", 40, {});
  KmemCache* other = m->cache_create("other", 40, {});
  KmemCache* third = m->cache_create("third", 40, {});
  CHECK_EQ(some->flags & QUARRY_SLAB_DEBUG_FLAGS, kZ);
  CHECK_EQ(other->flags & QUARRY_SLAB_DEBUG_FLAGS, kU);
  CHECK_EQ(third->flags & QUARRY_SLAB_DEBUG_FLAGS, 0U);
  void* const p = m->kmalloc(64, gfp::kKernel);
  CHECK_EQ(m->cache_of(p)->flags & QUARRY_SLAB_DEBUG_FLAGS, kZ);
  m->kfree(p);
  for (KmemCache* cache : {some, other, third}) m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, orders_are_kept_if_asked_for) {
  Machine raised{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPU"};
  Machine kept{.engine = SlabEngineKind::kSlub, .slub_debug = "FZPUO"};
  const auto info = [](Machine& m) {
    void* const p = m->kmalloc(4096, gfp::kKernel);
    const KmemCache* const cache = m->cache_of(p);
    m->kfree(p);
    return cache;
  };
  CHECK(info(raised)->size > 4096);
  CHECK_EQ(info(kept)->size, 4096U);
  CHECK_EQ(info(kept)->flags & QUARRY_SLAB_DEBUG_FLAGS, kF);
}

// Every kind of misuse leaves the other objects and the slab's lists as they were.
QUARRY_TEST(SlubDebug, freeing_twice_is_found_whatever_lies_between) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("twice", 64, {.flags = kAll});
  unsigned char* const a = alloc(m, cache);
  unsigned char* const b = alloc(m, cache);
  unsigned char* const c = alloc(m, cache);
  m->cache_free(cache, a);
  m->cache_free(cache, b);
  m->cache_free(cache, a);
  CHECK_EQ(m.log.count("BUG twice (Not tainted): Object already free\n"), 1U);
  CHECK_EQ(m.log.count("FIX twice: Object at 0x"), 1U);
  CHECK(m.reported("Freed in "));
  CHECK(m.sound());
  m->cache_free(cache, c);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, pointers_into_a_slab_are_told_from_objects) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("inside", 64, {.flags = kF | kZ});
  unsigned char* const p = alloc(m, cache);
  // In front of an object is a word at least, in front of a slab another page.
  for (const int offset : {1, 8, -static_cast<int>(sizeof(void*)), 32}) {
    m->cache_free(cache, p + offset);
    CHECK_EQ(m.log.count("Invalid object pointer 0x"), 1U);
    CHECK(m.reported("not freed"));
  }
  m->cache_free(cache, p);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, without_checks_a_wrong_pointer_is_not_followed_either) {
  Machine m{.engine = SlabEngineKind::kSlub, .keeps_broken_slabs = true};
  KmemCache* cache = m->cache_create("unchecked", 64, {.flags = kU});
  unsigned char* const p = alloc(m, cache);
  m->cache_free(cache, p + 8);
  CHECK(m.reported("Invalid object pointer 0x"));
  m->cache_free(cache, p);
  m->cache_free(cache, p);
  CHECK(m.reported("Object already free"));
  // Somebody writes through a stale pointer, into the link.
  *reinterpret_cast<uintptr_t*>(p + cache->offset) = 0x123;
  CHECK(alloc(m, cache) == p);
  unsigned char* const q = alloc(m, cache);
  CHECK(q != nullptr && q != p);
  CHECK(m.reported("Freelist Pointer check fails"));
  m->cache_free(cache, p);
  m->cache_free(cache, q);
}

QUARRY_TEST(SlubDebug, an_overflow_is_found_at_free_and_repaired) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("overflow", 60, {.flags = kAll});
  unsigned char* const a = alloc(m, cache);
  unsigned char* const b = alloc(m, cache);
  a[60] = 0;
  b[-1] = 0;
  m->cache_free(cache, a);
  CHECK(m.reported("BUG overflow (Not tainted): Right Redzone overwritten"));
  m->cache_free(cache, b);
  CHECK(m.reported("Left Redzone overwritten"));
  // Neither was freed, both are whole again.
  m->cache_free(cache, a);
  m->cache_free(cache, b);
  CHECK(m.log.empty());
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, a_write_after_free_is_found_when_the_object_would_be_handed_out) {
  Machine m{.engine = SlabEngineKind::kSlub, .keeps_broken_slabs = true};
  KmemCache* cache = m->cache_create("stale", 64, {.flags = kAll});
  unsigned char* const p = alloc(m, cache);
  m->cache_free(cache, p);
  p[10] = 0;
  unsigned char* const q = alloc(m, cache);
  CHECK_EQ(m.log.count("Poison overwritten"), 1U);
  CHECK_EQ(m.log.count("FIX stale: Restoring Poison 0x"), 1U);
  CHECK(m.reported("FIX stale: Marking all objects used"));
  CHECK(q != nullptr && q != p);
  CHECK(m.sound());
  CHECK_EQ(m->cache_check(cache).errors, 0U);  // what is lost there is no new error
  m->cache_free(cache, q);
  // Of that slab nothing is handed out any more, and it is never empty.
  m->cache_destroy(cache);
  CHECK(m.reported("Slab cache still has objects"));
}

QUARRY_TEST(SlubDebug, a_slab_is_checked_before_its_pages_go_back) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("given", 64, {.flags = kAll});
  unsigned char* const p = alloc(m, cache);
  m->cache_free(cache, p);
  p[0] = 0;
  m->cache_shrink(cache);
  CHECK(m.reported("Poison overwritten"));
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, what_is_left_is_told_by_who_allocated_it) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "U"};
  KmemCache* cache = m->cache_create("left", 64, {});
  void* objects[3];
  for (void*& object : objects) object = alloc(m, cache);
  quarry::FixedText<4096> traces;
  CHECK(m->alloc_traces(cache, traces));
  CHECK(__builtin_strncmp(traces.c_str(), "      3 ", 8) == 0);
  m->cache_destroy(cache);
  CHECK_EQ(m.log.count("Objects remaining in left on __kmem_cache_shutdown()"), 1U);
  CHECK_EQ(m.log.count("\nAllocated in "), 3U);
  CHECK(m.reported("left: who allocated what was never freed:\n      3 "));
  for (void* object : objects) m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, a_system_that_shuts_down_tells_its_leaks) {
  Machine m{
      .engine = SlabEngineKind::kSlub, .slub_debug = "U,kmalloc-*", .keeps_broken_slabs = true};
  for (int i = 0; i != 5; ++i) CHECK(m->kmalloc(100, gfp::kKernel) != nullptr);
  CHECK(m->kmalloc(10, gfp::kKernel) != nullptr);
  CHECK_EQ(m->shutdown(), 6U);
  m.booted = false;
  CHECK_EQ(m.log.count("kmalloc-128: 5 objects were never freed\n"), 1U);
  CHECK_EQ(m.log.count("kmalloc-128: who allocated what was never freed:\n      5 "), 1U);
  CHECK(m.reported("kmalloc-16: who allocated what was never freed:\n      1 "));
}

// Pages of backtraces live as long as a slab that names them.
QUARRY_TEST(SlubDebug, backtraces_cost_nothing_when_nobody_has_an_object) {
  Machine m{.engine = SlabEngineKind::kSlub, .slub_debug = "U,kmalloc-2k"};
  const uint64_t before = m.idle_free_pages;
  void* const p = m->kmalloc(2048, gfp::kKernel);
  m.give_back_all();
  CHECK(m->free_page_count() <= before - 5);  // a slab and a pool of four pages
  m->kfree(p);
  m.give_back_all();
  CHECK_EQ(m->free_page_count(), before);
  CHECK_EQ(m.core().slub.backtrace_pages(), 0U);
}

QUARRY_TEST(SlubDebug, a_track_that_was_overwritten_is_told_without_harm) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("tracks", 64, {.flags = kF | kU});
  unsigned char* const p = alloc(m, cache);
  __builtin_memset(p + 64, 0xff, cache->size - 64);
  m->cache_free(cache, p + 1);
  CHECK(m.reported("Invalid object pointer"));
  m->cache_destroy(cache);
  CHECK(m.reported("Objects remaining in tracks"));
  m->cache_free(cache, p);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, padding_behind_the_last_slot) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("padding", 208, {.flags = kAll});
  unsigned char* const p = alloc(m, cache);
  const CacheInfo info = MemorySystem::cache_info(*cache);
  auto* const slab = reinterpret_cast<unsigned char*>(reinterpret_cast<uintptr_t>(p) &
                                                      ~(info.pages_per_slab * kPageBytes - 1));
  unsigned char* const behind = slab + info.objects_per_slab * info.size;
  REQUIRE(behind < slab + info.pages_per_slab * kPageBytes);
  CHECK_EQ(*behind, 0x5a);
  *behind = 0;
  CHECK_EQ(m->cache_check(cache).errors, 2U);
  CHECK_EQ(m.log.count("Padding overwritten. 0x"), 1U);
  CHECK(m.reported("FIX padding: Restoring slab padding 0x"));
  m->cache_free(cache, p);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, a_free_list_that_begins_nowhere_is_cleared) {
  Machine m{.engine = SlabEngineKind::kSlub, .keeps_broken_slabs = true};
  KmemCache* cache = m->cache_create("head", 64, {.flags = kAll});
  unsigned char* const a = alloc(m, cache);
  unsigned char* const b = alloc(m, cache);
  m->compound_head(m->virt_to_page(a))->freelist = a + 1;
  m->cache_free(cache, a);  // finds it, and is itself in order
  CHECK_EQ(m.log.count("BUG head (Not tainted): Freepointer corrupt"), 1U);
  CHECK(m.reported("FIX head: Freelist cleared"));
  CHECK(m.sound());
  CHECK_EQ(m->cache_check(cache).errors, 0U);
  CHECK(alloc(m, cache) == a);
  m->cache_free(cache, a);
  m->cache_free(cache, b);
  CHECK(m.log.empty());
}

QUARRY_TEST(SlubDebug, full_slabs_are_checked_where_users_are_kept) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("full", 64, {.flags = kAll});
  const uint32_t in_slab = MemorySystem::cache_info(*cache).objects_per_slab;
  void* objects[256];
  REQUIRE(2 * in_slab < std::size(objects));
  for (uint32_t i = 0; i != 2 * in_slab; ++i) objects[i] = alloc(m, cache);
  CHECK_EQ(m->cache_check(cache).slabs, 2U);
  static_cast<unsigned char*>(objects[0])[64] = 0;
  CHECK_EQ(m->cache_check(cache).errors, 2U);
  CHECK(m.reported("Right Redzone overwritten"));
  for (uint32_t i = 0; i != 2 * in_slab; ++i) m->cache_free(cache, objects[i]);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, slabs_of_as_many_objects_as_there_can_be) {
  Machine m{.engine = SlabEngineKind::kSlub,
            .slub_debug = "FU,many",
            .configure = [](quarry::Config& config) {
              config.slub_max_order = config.slub_min_order = quarry::Order{10};
            }};
  for (const char* name : {"many", "plain"}) {
    KmemCache* cache = m->cache_create(name, 8, {});
    unsigned char* const p = alloc(m, cache);
    REQUIRE(p != nullptr);
    CHECK_EQ(MemorySystem::cache_info(*cache).objects_per_slab, 32767U);
    CHECK_EQ(MemorySystem::cache_info(*cache).total_objects, 32767U);
    CHECK_EQ(m->cache_check(cache).errors, 0U);
    m->cache_free(cache, p);
    m->cache_destroy(cache);
  }
}

QUARRY_TEST(SlubDebug, objects_in_bulk_are_debugged_too) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("bulk", 64, {.flags = kAll});
  void* objects[100];
  CHECK_EQ(m->cache_alloc_bulk(cache, gfp::kKernel, objects), 100U);
  static_cast<unsigned char*>(objects[50])[64] = 0;
  m->cache_free_bulk(cache, objects);
  CHECK(m.reported("Right Redzone overwritten"));
  m->cache_free(cache, objects[50]);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, nothing_is_told_while_a_thread_counts) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("quiet", 64, {.flags = kAll});
  unsigned char* const p = alloc(m, cache);
  CHECK_EQ(m->cache_check(cache).errors, 0U);
  m->cache_free(cache, p);
  CHECK(m.log.empty());
  m->cache_destroy(cache);
}

QUARRY_TEST(SlubDebug, every_flag_alone_and_all_together_under_load) {
  for (const char* mode : {"F", "Z", "P", "U", "FZ", "ZP", "FZPU"}) {
    Machine m{.nodes = 2, .cpus = 2, .engine = SlabEngineKind::kSlub, .slub_debug = mode};
    quarry::Random random(harness::seed());
    void* objects[200] = {};
    for (int i = 0; i != 5000; ++i) {
      m.on_cpu(random.below(2));
      void*& slot = objects[random.below(200)];
      if (slot != nullptr) {
        m->kfree(slot);
        slot = nullptr;
        continue;
      }
      const size_t bytes = 1 + random.below(random.one_in(8) ? 9000 : 400);
      slot = m->kmalloc(bytes, gfp::kKernel);
      REQUIRE(slot != nullptr);
      __builtin_memset(slot, i, bytes);
    }
    CHECK(m.sound());
    for (void* object : objects) m->kfree(object);
  }
}

}  // namespace
