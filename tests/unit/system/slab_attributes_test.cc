// SPDX-License-Identifier: MIT
// The files of /sys/kernel/slab/CACHE.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::CpuId;
using quarry::FileWrite;
using quarry::FixedText;
using quarry::KmemCache;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

constexpr unsigned kPerSlab = 64;  // objects of 64 bytes

FixedText<256> shown(Machine& m, const KmemCache* cache, const char* name) {
  FixedText<256> text;
  if (!m->cache_attribute(cache, name, text)) format(text, "no %s", name);
  return text;
}

#define CHECK_SHOWN(name, wanted) CHECK_TEXT(shown(m, cache, name).c_str(), wanted)

FileWrite store(Machine& m, KmemCache* cache, const char* name, const char* text) {
  return m->write_cache_attribute(cache, name, {text, __builtin_strlen(text)});
}

size_t array_count(const KmemCache* cache, unsigned cpu) {
  return cache->cpu_arrays.count(CpuId(cpu));
}

void take(Machine& m, KmemCache* cache, std::span<void*> objects) {
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
}
void give(Machine& m, KmemCache* cache, std::span<void*> objects) {
  for (void* object : objects) m->cache_free(cache, object);
}

QUARRY_TEST(SlabAttributes, show_what_a_cache_is) {
  Machine m{.engine = SlabEngineKind::kSlub, .merge_caches = true};
  KmemCache* cache = m->cache_create("plain", 60, {.align = 16});
  CHECK_SHOWN("object_size", "60\n");
  CHECK_SHOWN("slab_size", "64\n");
  CHECK_SHOWN("align", "16\n");
  CHECK_SHOWN("objs_per_slab", "64\n");
  CHECK_SHOWN("order", "0\n");
  CHECK_SHOWN("usersize", "0\n");
  CHECK_SHOWN("aliases", "0\n");
  CHECK_SHOWN("ctor", "");
  CHECK_SHOWN("min_partial", "5\n");
  CHECK_SHOWN("cpu_partial", "72\n");
  CHECK_SHOWN("remote_node_defrag_ratio", "100\n");
  CHECK_SHOWN("shrink", "");
  CHECK_SHOWN("validate", "");
  for (const char* flag :
       {"hwcache_align", "reclaim_account", "cache_dma", "destroy_by_rcu", "sanity_checks", "trace",
        "red_zone", "poison", "store_user", "failslab"}) {
    CHECK_SHOWN(flag, "0\n");
  }
  CHECK_SHOWN("alloc_calls", "no alloc_calls");
  CHECK_SHOWN("", "no ");
  // An alias is a link to it.
  KmemCache* alias = m->cache_create("alias", 64);
  CHECK(alias == cache);
  CHECK(m->find_cache("alias") == cache && m->find_cache("plain") == cache);
  CHECK(m->find_cache("nobody") == nullptr);
  CHECK_SHOWN("aliases", "1\n");
  m->cache_destroy(alias);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabAttributes, show_flags) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create(
      "flagged", 64,
      {.flags = QUARRY_SLAB_HWCACHE_ALIGN | QUARRY_SLAB_RECLAIM_ACCOUNT | QUARRY_SLAB_CACHE_DMA |
                QUARRY_SLAB_TYPESAFE_BY_RCU | QUARRY_SLAB_CONSISTENCY_CHECKS |
                QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_POISON | QUARRY_SLAB_STORE_USER,
       .ctor = [](void*) {}});
  REQUIRE(cache != nullptr);
  for (const char* flag : {"hwcache_align", "reclaim_account", "cache_dma", "destroy_by_rcu",
                           "sanity_checks", "red_zone", "poison", "store_user"}) {
    CHECK_SHOWN(flag, "1\n");
  }
  CHECK_SHOWN("trace", "0\n");
  CHECK_SHOWN("cpu_partial", "0\n");
  // A name where the platform knows any, else the number.
  CHECK(shown(m, cache, "ctor").size() > 1);
  m->cache_destroy(cache);
}

// The sum, and the nodes and CPUs that have any.
QUARRY_TEST(SlabAttributes, count_by_node_and_by_cpu) {
  Machine m{.nodes = 3, .cpus = 3, .engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("counted", 64);
  for (const char* count : {"slabs", "partial", "objects", "objects_partial", "total_objects"}) {
    CHECK_SHOWN(count, "0\n");
  }
  CHECK_SHOWN("slabs_cpu_partial", "0(0)\n");
  void* here[2 * kPerSlab];
  void* there[10];
  take(m, cache, here);
  m.on_cpu(2);
  take(m, cache, there);
  m.give_back_all();
  CHECK_SHOWN("slabs", "3 N0=2 N2=1\n");
  CHECK_SHOWN("total_objects", "192 N0=128 N2=64\n");
  CHECK_SHOWN("objects", "138 N0=128 N2=10\n");
  CHECK_SHOWN("partial", "1 N2=1\n");
  CHECK_SHOWN("objects_partial", "10 N2=10\n");
  CHECK_SHOWN("cpu_slabs", "0\n");
  give(m, cache, there);
  m.on_cpu(0);
  give(m, cache, std::span(here).first(3));
  CHECK_SHOWN("slabs_cpu_partial", "13(0) C0=3(0) C2=10(0)\n");
  CHECK_SHOWN("objects", "138 N0=128 N2=10\n");
  give(m, cache, std::span(here).subspan(3));
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabAttributes, cpu_partial_is_the_capacity_of_every_array) {
  Machine m{.cpus = 3, .engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("tuned", 64);
  void* objects[200];
  struct Setting {
    const char* text;
    unsigned capacity;
  };
  constexpr Setting kSettings[] = {{"3\n", 3}, {"126", 126}, {"0", 0}, {"+1", 1}, {"0072\n", 72}};
  for (const auto [text, capacity] : kSettings) {
    take(m, cache, objects);
    CHECK_EQ(store(m, cache, "cpu_partial", text), FileWrite::kDone);
    CHECK_EQ(quarry::MemorySystem::cache_info(*cache).array_capacity, capacity);
    for (unsigned cpu = 0; cpu != 3; ++cpu) {
      CHECK_EQ(array_count(cache, cpu), 0U);  // all were emptied
      m.on_cpu(cpu);
      give(m, cache, objects);
      CHECK(array_count(cache, cpu) <= capacity);
      m->cache_shrink(cache);
      take(m, cache, objects);
      CHECK(array_count(cache, cpu) <= capacity);
      // It holds so many, and no more.
      m->cache_shrink(cache);
      give(m, cache, std::span(objects).first(capacity));
      CHECK_EQ(array_count(cache, cpu), capacity);
      take(m, cache, std::span(objects).first(capacity));
      CHECK_EQ(array_count(cache, cpu), 0U);
    }
    give(m, cache, objects);
  }
  CHECK_SHOWN("cpu_partial", "72\n");
  m->cache_destroy(cache);
}

// As in Linux: one that is the last of that many, itself counted, goes.
QUARRY_TEST(SlabAttributes, min_partial_is_when_an_empty_slab_goes) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("kept", 64);
  CHECK_EQ(store(m, cache, "cpu_partial", "0"), FileWrite::kDone);
  void* objects[12 * kPerSlab];
  for (const size_t kept : {7, 0, 11}) {
    FixedText<8> text;
    format(text, "%zu\n", kept);
    CHECK_EQ(store(m, cache, "min_partial", text.c_str()), FileWrite::kDone);
    CHECK_SHOWN("min_partial", text.c_str());
    take(m, cache, objects);
    give(m, cache, objects);
    CHECK_EQ(m.core().kmem.counts(*cache).slabs, kept == 0 ? 0 : kept - 1);
  }
  CHECK_EQ(store(m, cache, "shrink", "1"), FileWrite::kDone);
  CHECK_SHOWN("slabs", "0\n");
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabAttributes, remote_node_defrag_ratio_is_in_percent) {
  Machine m{.nodes = 2, .cpus = 2, .engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("remote", 64);
  CHECK_EQ(store(m, cache, "remote_node_defrag_ratio", "37\n"), FileWrite::kDone);
  CHECK_EQ(cache->remote_defrag.load(), 370U);
  CHECK_SHOWN("remote_node_defrag_ratio", "37\n");
  CHECK_EQ(store(m, cache, "remote_node_defrag_ratio", "101"), FileWrite::kOutOfRange);
  CHECK_EQ(store(m, cache, "remote_node_defrag_ratio", "-1"), FileWrite::kInvalid);
  CHECK_SHOWN("remote_node_defrag_ratio", "37\n");
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabAttributes, refuse_what_linux_refuses) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("refusing", 64);
  for (const char* name : {"cpu_partial", "min_partial", "remote_node_defrag_ratio"}) {
    for (const char* text : {"", "\n", "+", "-1", "x", "1x", "0x10", " 1", "1 ", "1\n\n", "++1"}) {
      CHECK_EQ(store(m, cache, name, text), FileWrite::kInvalid);
    }
    CHECK_EQ(store(m, cache, name, "99999999999999999999"), FileWrite::kOutOfRange);
  }
  // Beyond an unsigned int, and beyond the room there is.
  CHECK_EQ(store(m, cache, "cpu_partial", "4294967296"), FileWrite::kOutOfRange);
  CHECK_EQ(store(m, cache, "cpu_partial", "4294967295"), FileWrite::kNoMemory);
  CHECK_EQ(store(m, cache, "cpu_partial", "127"), FileWrite::kNoMemory);
  CHECK_SHOWN("cpu_partial", "72\n");
  CHECK_SHOWN("min_partial", "5\n");
  for (const char* name : {"shrink", "validate"}) {
    for (const char* text : {"", "0", "x"}) {
      CHECK_EQ(store(m, cache, name, text), FileWrite::kInvalid);
    }
  }
  CHECK_EQ(store(m, cache, "validate", "1"), FileWrite::kInvalid);  // only where it is debugged
  CHECK_EQ(store(m, cache, "order", "1"), FileWrite::kReadOnly);
  CHECK_EQ(store(m, cache, "red_zone", "1"), FileWrite::kReadOnly);
  CHECK_EQ(store(m, cache, "alloc_calls", "1"), FileWrite::kNoFile);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabAttributes, of_a_debugged_cache) {
  Machine m{.engine = SlabEngineKind::kSlub, .keeps_broken_slabs = true};
  KmemCache* cache = m->cache_create("debugged", 64, {.flags = QUARRY_SLAB_RED_ZONE});
  CHECK_EQ(store(m, cache, "cpu_partial", "1"), FileWrite::kInvalid);
  CHECK_EQ(store(m, cache, "cpu_partial", "0"), FileWrite::kDone);
  auto* object = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
  CHECK_EQ(store(m, cache, "validate", "1"), FileWrite::kDone);
  CHECK(m.log.empty());
  object[64] = 0;
  CHECK_EQ(store(m, cache, "validate", "1"), FileWrite::kDone);
  CHECK(m.reported("Right Redzone overwritten"));
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(SlabAttributes, failslab_chooses_a_cache_that_nobody_shares) {
  Machine m{.engine = SlabEngineKind::kSlub, .merge_caches = true};
  KmemCache* cache = m->cache_create("chosen", 200);
  CHECK_EQ(store(m, cache, "failslab", "1"), FileWrite::kDone);
  CHECK_SHOWN("failslab", "1\n");
  CHECK_EQ(store(m, cache, "failslab", "0"), FileWrite::kDone);
  CHECK_SHOWN("failslab", "0\n");
  KmemCache* alias = m->cache_create("alias", 200);
  CHECK_EQ(store(m, cache, "failslab", "1"), FileWrite::kInvalid);
  m->cache_destroy(alias);
  m->cache_destroy(cache);
}

// /sys/kernel/slab is SLUB's.
QUARRY_TEST(SlabAttributes, other_engines_have_none) {
  for (const SlabEngineKind engine : {SlabEngineKind::kSlab, SlabEngineKind::kSlob}) {
    Machine m{.engine = engine};
    KmemCache* cache = m->cache_create("none", 64);
    CHECK_SHOWN("order", "no order");
    CHECK_EQ(store(m, cache, "cpu_partial", "1"), FileWrite::kNoFile);
    m->cache_destroy(cache);
  }
}

}  // namespace
