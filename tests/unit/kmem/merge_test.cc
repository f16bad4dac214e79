// SPDX-License-Identifier: MIT
// Which caches become one, and what their users see of it.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CacheInfo;
using quarry::CacheOptions;
using quarry::KmemCache;
using quarry::MemorySystem;
namespace gfp = quarry::gfp;

CacheInfo info_of(const KmemCache* cache) { return MemorySystem::cache_info(*cache); }

bool merges(Machine& m, size_t bytes, const CacheOptions& options, size_t other_bytes,
            const CacheOptions& other_options) {
  KmemCache* first = m->cache_create("first", bytes, options);
  KmemCache* second = m->cache_create("second", other_bytes, other_options);
  CHECK(first != nullptr && second != nullptr);
  const bool one = first == second;
  m->cache_destroy(second);
  m->cache_destroy(first);
  return one;
}

QUARRY_TEST(Merge, equal_caches_are_one) {
  Machine m{.merge_caches = true};
  KmemCache* first = m->cache_create("first", 200);
  KmemCache* second = m->cache_create("second", 200);
  KmemCache* third = m->cache_create("third", 197);
  REQUIRE(first != nullptr);
  CHECK(second == first && third == first);
  CHECK_TEXT(info_of(first).name, "first");
  CHECK_EQ(info_of(first).aliases, 2U);
  const char* names[4] = {};
  struct Names {
    const char** next;
  } context{names};
  MemorySystem::for_each_cache_name(
      *first, [](void* to, const char* name) { *static_cast<Names*>(to)->next++ = name; },
      &context);
  CHECK_TEXT(names[0], "third");
  CHECK_TEXT(names[1], "second");
  CHECK_TEXT(names[2], "first");
  CHECK(names[3] == nullptr);
  // slabinfo has one row.
  quarry::FixedText<16384> text;
  m->slabinfo(text);
  CHECK(harness::find_text(text.c_str(), "\nfirst ") != nullptr);
  CHECK(harness::find_text(text.c_str(), "\nsecond ") == nullptr);

  void* object = m->cache_alloc(second, gfp::kKernel);
  REQUIRE(object != nullptr);
  m->cache_free(third, object);
  CHECK(m.log.empty());
  object = m->cache_alloc(first, gfp::kKernel);
  // All but the last only leave; what is in use is none of their business.
  m->cache_destroy(first);
  m->cache_destroy(second);
  CHECK(m.log.empty());
  CHECK_EQ(info_of(third).aliases, 0U);
  m->cache_free(third, object);
  m->cache_destroy(third);
  m->cache_destroy(third);
  CHECK(m.reported("kmem_cache_destroy of a cache that is destroyed already"));
}

QUARRY_TEST(Merge, the_last_user_is_told_of_leftovers) {
  Machine m{.merge_caches = true};
  KmemCache* cache = m->cache_create("first", 200);
  REQUIRE(m->cache_create("second", 200) == cache);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  m->cache_destroy(cache);
  CHECK(m.log.empty());
  m->cache_destroy(cache);
  CHECK(m.reported("kmem_cache_destroy first: Slab cache still has objects when called from"));
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(Merge, zeroed_objects_are_zero_for_the_larger_user) {
  Machine m{.merge_caches = true};
  KmemCache* small = m->cache_create("small", 197);
  KmemCache* large = m->cache_create("large", 200);
  REQUIRE(small != nullptr && small == large);
  CHECK_EQ(info_of(small).object_size, 200U);
  void* objects[40];
  for (int round = 0; round != 2; ++round) {
    for (void*& object : objects) {
      object = m->cache_zalloc(small, gfp::kKernel);
      REQUIRE(object != nullptr);
      const auto* bytes = static_cast<unsigned char*>(object);
      for (size_t i = 0; i != 200; ++i) REQUIRE_EQ(bytes[i], 0);
      __builtin_memset(object, 0xff, 200);
    }
    m->cache_free_bulk(small, objects);
  }
  m->cache_destroy(small);
  m->cache_destroy(large);
}

QUARRY_TEST(Merge, sizes_and_alignments_that_fit) {
  Machine m{.merge_caches = true};
  CHECK(merges(m, 200, {}, 200, {}));
  CHECK(merges(m, 200, {}, 199, {}));
  // A word would be wasted, or is missing.
  CHECK(!merges(m, 208, {}, 200, {}));
  CHECK(!merges(m, 200, {}, 201, {}));
  CHECK(merges(m, 192, {.align = 64}, 192, {}));
  CHECK(merges(m, 192, {.flags = QUARRY_SLAB_HWCACHE_ALIGN}, 192, {}));
  if (m.engine == quarry::SlabEngineKind::kSlub) {
    CHECK(merges(m, 192, {}, 192, {.align = 64}));  // 192 is a multiple of it
  }
  CHECK(!merges(m, 200, {}, 200, {.align = 64}));
  CHECK(!merges(m, 200, {.align = 64}, 200, {}));
}

QUARRY_TEST(Merge, flags_that_have_to_agree) {
  Machine m{.merge_caches = true};
  for (const uint32_t flag : {QUARRY_SLAB_RECLAIM_ACCOUNT, QUARRY_SLAB_CACHE_DMA,
                              QUARRY_SLAB_CACHE_DMA32, QUARRY_SLAB_ACCOUNT}) {
    CHECK(merges(m, 200, {.flags = flag}, 200, {.flags = flag}));
    CHECK(!merges(m, 200, {.flags = flag}, 200, {}));
    CHECK(!merges(m, 200, {}, 200, {.flags = flag}));
  }
  CHECK(merges(m, 200, {.flags = QUARRY_SLAB_PANIC}, 200, {}));
}

QUARRY_TEST(Merge, what_is_never_merged) {
  Machine m{.merge_caches = true};
  for (const uint32_t flag :
       {QUARRY_SLAB_TYPESAFE_BY_RCU, QUARRY_SLAB_NOLEAKTRACE, QUARRY_SLAB_NO_MERGE}) {
    CHECK(!merges(m, 200, {.flags = flag}, 200, {.flags = flag}));
    CHECK(!merges(m, 200, {.flags = flag}, 200, {}));
    CHECK(!merges(m, 200, {}, 200, {.flags = flag}));
  }
  const CacheOptions constructed{.ctor = [](void*) {}};
  CHECK(!merges(m, 200, constructed, 200, constructed));
  CHECK(!merges(m, 200, {}, 200, constructed));
  const CacheOptions copied{.user_offset = 8, .user_bytes = 16};
  CHECK(!merges(m, 200, copied, 200, copied));
  CHECK(!merges(m, 200, {}, 200, copied));
  CHECK(!merges(m, 200, copied, 200, {}));
  // All of a kmalloc object may be copied to users.
  KmemCache* cache = m->cache_create("like_kmalloc", 256);
  CHECK_TEXT(info_of(cache).name, "like_kmalloc");
  m->cache_destroy(cache);
}

QUARRY_TEST(Merge, nothing_is_merged_where_that_is_off) {
  Machine m{.merge_caches = false};
  CHECK(!merges(m, 200, {}, 200, {}));
}

QUARRY_TEST(Merge, nobody_joins_a_cache_whose_last_user_has_gone) {
  Machine m;
  KmemCache* kept = m->cache_create("kept", 88);
  void* object = m->cache_alloc(kept, gfp::kKernel);
  m->cache_destroy(kept);
  CHECK(m.reported("Slab cache still has objects"));
  KmemCache* other = m->cache_create("other", 88);
  CHECK(other != kept);
  m->cache_destroy(other);
  m->cache_free(kept, object);
  m->cache_destroy(kept);
}

}  // namespace
