// SPDX-License-Identifier: MIT
// SLUB's own: what is below the per-CPU arrays, asked without them.
#include "kmem/slub/free_links.h"
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::ObjectRequest;
using quarry::Order;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

constexpr ObjectRequest kRequest{.gfp = gfp::kKernel};
constexpr uint32_t kObjectBytes = 512;  // eight in a slab of one page
constexpr size_t kPerSlab = 8;

void* take(Machine& m, KmemCache& cache) {
  void* object = nullptr;
  m.core().slub.alloc(cache, kRequest, std::span(&object, 1));
  return object;
}

void give(Machine& m, KmemCache& cache, std::span<void*> objects) {
  m.core().slub.free(cache, objects, 0);
}

uintptr_t page_of(const void* object) {
  return reinterpret_cast<uintptr_t>(object) / quarry::kPageBytes;
}

// Takes `count` objects, slab after slab.
void fill(Machine& m, KmemCache& cache, std::span<void*> objects) {
  for (void*& object : objects) object = take(m, cache);
}

QUARRY_TEST(Slub, shrinking_puts_the_fullest_slabs_first) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("sorted", kObjectBytes, {});
  void* object[3 * kPerSlab];
  fill(m, *cache, object);
  // Three slabs in the order of their first freed objects: five, one and three free.
  give(m, *cache, std::span(object).subspan(0, 5));
  give(m, *cache, std::span(object).subspan(kPerSlab, 1));
  give(m, *cache, std::span(object).subspan(2 * kPerSlab, 3));
  m->cache_shrink(cache);
  void* again[9];
  fill(m, *cache, again);
  CHECK_EQ(page_of(again[0]), page_of(object[kPerSlab + 1]));
  for (size_t i = 1; i != 4; ++i) CHECK_EQ(page_of(again[i]), page_of(object[2 * kPerSlab + 3]));
  for (size_t i = 4; i != 9; ++i) CHECK_EQ(page_of(again[i]), page_of(object[5]));
  give(m, *cache, again);
  give(m, *cache, std::span(object).subspan(5, 3));
  give(m, *cache, std::span(object).subspan(kPerSlab + 1, kPerSlab - 1));
  give(m, *cache, std::span(object).subspan(2 * kPerSlab + 3, kPerSlab - 3));
  m->cache_destroy(cache);
}

QUARRY_TEST(Slub, shrinking_frees_the_empty_slabs_alone) {
  Machine m{.engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("sorted", kObjectBytes, {});
  void* object[2 * kPerSlab];
  fill(m, *cache, object);
  give(m, *cache, std::span(object).subspan(1));
  CHECK_EQ(m.core().kmem.counts(*cache).slabs, 2U);
  CHECK(!m->cache_shrink(cache));
  CHECK_EQ(m.core().kmem.counts(*cache).slabs, 1U);
  CHECK(m.sound());
  give(m, *cache, std::span(object).first(1));
  m->cache_destroy(cache);
}

QUARRY_TEST(Slub, hardened_links_show_no_addresses) {
  Machine m{.engine = SlabEngineKind::kSlub,
            .configure = [](quarry::Config& config) { config.slub_hardened = true; }};
  KmemCache* cache = m->cache_create("hardened", kObjectBytes, {});
  void* first = take(m, *cache);
  void* second = take(m, *cache);
  void* objects[] = {second, first};
  give(m, *cache, objects);
  const quarry::PlainLinks plain{cache->offset};
  CHECK(plain.load(first) != second);
  CHECK_EQ(quarry::load_link(*cache, first), second);
  CHECK_EQ(take(m, *cache), first);
  CHECK_EQ(take(m, *cache), second);
  CHECK(m.sound());
  give(m, *cache, objects);
  m->cache_destroy(cache);
}

QUARRY_TEST(Slub, an_overwritten_hardened_link_is_not_followed) {
  Machine m{.engine = SlabEngineKind::kSlub,
            .keeps_broken_slabs = true,
            .configure = [](quarry::Config& config) { config.slub_hardened = true; }};
  KmemCache* cache = m->cache_create("hardened", kObjectBytes, {});
  void* kept = take(m, *cache);
  void* freed = take(m, *cache);
  give(m, *cache, std::span(&freed, 1));
  // The address of another object, as an attacker would write it.
  quarry::PlainLinks{cache->offset}.store(freed, kept);
  CHECK_EQ(take(m, *cache), freed);
  void* next = take(m, *cache);
  CHECK(m.reported("BUG hardened (Not tainted): Freechain corrupt"));
  CHECK(next != kept);
  CHECK(page_of(next) != page_of(kept));
}

struct HandedOut {
  uint32_t index[kPerSlab];
};

// The order of the objects of a new slab.
HandedOut order_of_new_slab(Machine& m, KmemCache& cache) {
  void* object[kPerSlab];
  fill(m, cache, object);
  HandedOut order;
  for (size_t i = 0; i != kPerSlab; ++i) {
    order.index[i] = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(object[i]) %
                                           quarry::kPageBytes / kObjectBytes);
  }
  return order;
}

bool same(const HandedOut& a, const HandedOut& b) {
  for (size_t i = 0; i != kPerSlab; ++i) {
    if (a.index[i] != b.index[i]) return false;
  }
  return true;
}

QUARRY_TEST(Slub, each_slab_has_a_random_order_that_follows_from_the_seed) {
  HandedOut order[2][4];
  for (HandedOut(&run)[4] : order) {
    Machine m{.engine = SlabEngineKind::kSlub, .seed = 7, .configure = [](quarry::Config& config) {
                config.slub_random = true;
              }};
    KmemCache* cache = m->cache_create("random", kObjectBytes, {});
    void* keep[4 * kPerSlab];
    size_t kept = 0;
    for (HandedOut& slab : run) {
      slab = order_of_new_slab(m, *cache);
      uint32_t seen = 0;
      for (const uint32_t index : slab.index) seen |= 1U << index;
      CHECK_EQ(seen, 0xffU);
      kept += kPerSlab;
    }
    CHECK_EQ(kept, std::size(keep));
    CHECK(m.sound());
    size_t found = 0;
    // All objects go back by their addresses.
    for (quarry::Pfn pfn(1); pfn < m.core().map.end() && found != std::size(keep); pfn += 1) {
      if (!m.core().map.valid(pfn) || m.core().map.page(pfn)->cache != cache->number) continue;
      auto* base = static_cast<unsigned char*>(m.core().map.address(pfn));
      for (size_t i = 0; i != kPerSlab; ++i) keep[found++] = base + i * kObjectBytes;
    }
    CHECK_EQ(found, std::size(keep));
    give(m, *cache, keep);
    m->cache_destroy(cache);
  }
  for (size_t i = 0; i != 4; ++i) CHECK(same(order[0][i], order[1][i]));
  CHECK(!same(order[0][0], order[0][1]) || !same(order[0][1], order[0][2]));
}

QUARRY_TEST(Slub, a_random_slab_is_linked_whole_behind_what_is_taken) {
  Machine m{.engine = SlabEngineKind::kSlub, .configure = [](quarry::Config& config) {
              config.slub_random = config.slub_hardened = true;
            }};
  KmemCache* cache = m->cache_create("random", 64, {});
  void* one = take(m, *cache);
  CHECK(m.sound());
  void* all[63];
  fill(m, *cache, all);
  CHECK_EQ(m.core().kmem.counts(*cache).slabs, 1U);
  give(m, *cache, all);
  give(m, *cache, std::span(&one, 1));
  m->cache_destroy(cache);
}

// Objects of node 0 that another CPU's request finds, of 16.
size_t taken_from_afar(uint32_t ratio) {
  Machine m{.nodes = 2, .cpus = 2, .engine = SlabEngineKind::kSlub};
  KmemCache* cache = m->cache_create("remote", kObjectBytes, {});
  cache->remote_defrag = ratio;
  constexpr size_t kSlabs = 16;
  void* object[kSlabs * kPerSlab];
  fill(m, *cache, object);
  for (size_t i = 0; i != kSlabs; ++i) give(m, *cache, std::span(object).subspan(i * kPerSlab, 1));
  m.on_cpu(1);
  void* far[kSlabs];
  size_t found = 0;
  for (void*& each : far) {
    each = take(m, *cache);
    if (m->page_node(m->virt_to_page(each)).value() == 0) ++found;
  }
  give(m, *cache, far);
  for (size_t i = 0; i != kSlabs; ++i) {
    give(m, *cache, std::span(object).subspan(i * kPerSlab + 1, kPerSlab - 1));
  }
  m->cache_destroy(cache);
  return found;
}

QUARRY_TEST(Slub, other_nodes_are_relieved_down_to_what_they_keep) {
  CHECK_EQ(taken_from_afar(0), 0U);
  // Sixteen partial slabs, min_partial of five.
  const size_t found = taken_from_afar(1000);
  CHECK(found >= 1);
  CHECK(found <= 11);
}

QUARRY_TEST(Slub, bounds_of_orders_and_objects_are_kept) {
  Machine m{.engine = SlabEngineKind::kSlub, .configure = [](quarry::Config& config) {
              config.slub_min_order = Order(1);
              config.slub_max_order = Order(2);
            }};
  for (const uint32_t bytes : {32U, 512U, 2048U, 8192U}) {
    KmemCache* cache = m->cache_create("bounded", bytes, {});
    const unsigned order = cache->order.value();
    CHECK(order >= 1);
    CHECK(order <= 2);
    m->cache_destroy(cache);
  }
}

}  // namespace
