// SPDX-License-Identifier: MIT
// Scenes in which the n-th attempt to get memory fails, for every n until the scene gets through
// without meeting the failure. The failure comes back as null through every layer, is reported
// unless __GFP_NOWARN forbids it, and leaves nothing behind: the machine's end looks.
#include "machine.h"
#include "quarry/fault_parameters.h"

namespace {

using harness::Machine;
using quarry::Gfp;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

// Plays with `bits` as a caller who stops at the first null and gives back what it has.
using Scene = void (*)(Machine& m, Gfp bits);

// Attempts of every kind count, whatever they may do and however small they are.
constexpr quarry::FaultParameters kEveryAttempt{
    .ignore_gfp_wait = false, .ignore_gfp_highmem = false, .min_order = 0};

// What slabs are made by.
struct Setting {
  SlabEngineKind engine = SlabEngineKind(harness::run.engine);
  const char* slub_debug = nullptr;
};

// Plays the scene with the n-th attempt failing. False: there was no n-th attempt.
bool play(Scene scene, Gfp bits, uint32_t n, const Setting& setting) {
  Machine m{
      .nodes = 2, .mib = 64, .cpus = 2, .engine = setting.engine, .slub_debug = setting.slub_debug};
  m.core().kmem.set_fault_parameters(kEveryAttempt);
  m.core().pages.set_fault_parameters(kEveryAttempt);
  quarry::set_fail_nth(n);
  scene(m, bits);
  const bool failed = quarry::fail_nth() == 0;
  quarry::set_fail_nth(0);
  if (any(bits, gfp::kNoWarn)) {
    CHECK(m.log.empty());
  } else if (m.log.count("FAULT_INJECTION: forcing a failure.") != 0) {
    // An attempt that has a second choice is quiet and fails quietly.
    CHECK(failed);
    CHECK(m.reported("Call Trace:"));
  }
  CHECK(m.log.empty());
  return failed;
}

// How many attempts the scene makes.
uint32_t play_for_every_n(Scene scene, Gfp bits, const Setting& setting = {}) {
  constexpr uint32_t kMost = 2000;
  uint32_t n = 1;
  while (n != kMost && harness::run.failures == 0 && play(scene, bits, n, setting)) ++n;
  CHECK(n < kMost);
  return n - 1;
}

// SLOB's objects share pages, so that it asks for fewer.
uint32_t least(uint32_t attempts) {
  const bool slob = harness::run.engine == static_cast<uint8_t>(quarry::SlabEngineKind::kSlob);
  return slob ? attempts / 3 : attempts;
}

void check_scene(Scene scene, uint32_t least_attempts) {
  least_attempts = least(least_attempts);
  CHECK(play_for_every_n(scene, gfp::kKernel | gfp::kNoWarn) >= least_attempts);
  CHECK(play_for_every_n(scene, gfp::kAtomic | gfp::kNoWarn) >= least_attempts);
  CHECK(play_for_every_n(scene, gfp::kKernel) >= least_attempts);
}

// --- kmalloc ---

void kmalloc_scene(Machine& m, Gfp bits) {
  constexpr size_t kBytes[] = {8, 100, 192, 1024, 4096, 8192, 8193, 100000};
  void* objects[std::size(kBytes) * 2] = {};
  size_t count = 0;
  for (const size_t bytes : kBytes) {
    for (const NodeId node : {quarry::kNoNode, NodeId{1}}) {
      void* object = m->kmalloc_node(bytes, bits | gfp::kZero, node);
      if (object == nullptr) break;
      CHECK_EQ(static_cast<unsigned char*>(object)[bytes - 1], 0);
      objects[count++] = object;
    }
  }
  while (count != 0) m->kfree(objects[--count]);
}
QUARRY_TEST(FailNth, kmalloc) { check_scene(kmalloc_scene, 25); }

void copies_scene(Machine& m, Gfp bits) {
  char* text = m->kstrdup("rings", bits);
  void* copy = text == nullptr ? nullptr : m->kmemdup(text, 6, bits);
  void* array = copy == nullptr ? nullptr : m->kcalloc(30, 40, bits);
  for (void* object : {static_cast<void*>(text), copy, array}) m->kfree(object);
}
QUARRY_TEST(FailNth, copies) { check_scene(copies_scene, 5); }

// The object is as it was where growing fails.
void krealloc_scene(Machine& m, Gfp bits) {
  auto* object = static_cast<unsigned char*>(m->kmalloc(8, bits));
  if (object == nullptr) return;
  __builtin_memset(object, 0x5a, 8);
  for (size_t bytes = 16; bytes <= 65536; bytes *= 2) {
    void* grown = m->krealloc(object, bytes, bits);
    const auto* seen = grown == nullptr ? object : static_cast<unsigned char*>(grown);
    for (size_t i = 0; i != bytes / 2; ++i) CHECK_EQ(seen[i], 0x5a);
    if (grown == nullptr) break;
    object = static_cast<unsigned char*>(grown);
    __builtin_memset(object, 0x5a, bytes);
  }
  m->kfree(object);
}
QUARRY_TEST(FailNth, krealloc) { check_scene(krealloc_scene, 20); }

// --- Caches ---

void use_cache(Machine& m, KmemCache* cache, Gfp bits) {
  void* single = m->cache_zalloc(cache, bits);
  void* remote = m->cache_alloc_node(cache, bits, NodeId{1});
  void* bulk[150];
  const size_t got = m->cache_alloc_bulk(cache, bits, bulk);
  CHECK(got == 0 || got == std::size(bulk));  // all or none
  m->cache_free_bulk(cache, {bulk, got});
  if (single != nullptr) m->cache_free(cache, single);
  if (remote != nullptr) m->cache_free(cache, remote);
}

// Slabs of 600 bytes have a second choice of order, those of 200 bytes have none.
void cache_scene(Machine& m, Gfp bits) {
  for (const size_t bytes : {600, 200}) {
    // The name needs memory too; a cache that cannot be made is always reported.
    KmemCache* cache = m->cache_create("scene", bytes);
    if (cache == nullptr) {
      CHECK_EQ(m.log.count("kmem_cache_create_usercopy(scene) failed with error -12"), 1U);
      m.log.clear();
      continue;
    }
    use_cache(m, cache, bits);
    m->cache_destroy(cache);
  }
}
QUARRY_TEST(FailNth, cache) { check_scene(cache_scene, 25); }

// Memory for backtraces is an attempt too; without it an object is told without its backtrace.
QUARRY_TEST(FailNth, debugged_caches) {
  // slub_debug= is of SLUB.
  if (Machine().engine != quarry::SlabEngineKind::kSlub) return;
  const Gfp quiet = gfp::kKernel | gfp::kNoWarn;
  const uint32_t plain = play_for_every_n(cache_scene, quiet, {.slub_debug = "FZP"});
  CHECK(plain >= 25);
  CHECK(play_for_every_n(cache_scene, quiet, {.slub_debug = "FZPU"}) > plain);
}

// --- Pages ---

void pages_scene(Machine& m, Gfp bits) {
  Page* blocks[11] = {};
  for (unsigned order = 0; order != 11; ++order) {
    blocks[order] = m->alloc_pages(order % 2 != 0 ? bits | gfp::kComp : bits, Order(order));
  }
  void* exact = m->alloc_pages_exact(5 * kPageBytes, bits);
  Page* bulk[40] = {};
  const size_t got = m->alloc_pages_bulk(bits, bulk);
  CHECK(got <= std::size(bulk));
  for (size_t i = 0; i != std::size(bulk); ++i) CHECK_EQ(bulk[i] != nullptr, i < got);
  for (size_t i = 0; i != got; ++i) m->put_page(bulk[i]);
  if (exact != nullptr) m->free_pages_exact(exact, 5 * kPageBytes);
  for (unsigned order = 0; order != 11; ++order) {
    if (blocks[order] != nullptr) m->free_pages(blocks[order], Order(order));
  }
}
QUARRY_TEST(FailNth, pages) { check_scene(pages_scene, 13); }

// --- Areas; those of vmalloc need a caller who may sleep ---

void area_scene(Machine& m, Gfp bits) {
  void* small = m->vmalloc(3 * kPageBytes, bits);
  void* large = m->vmalloc(700 * kPageBytes, bits | gfp::kZero);
  void* either = m->kvmalloc(100000, bits);
  void* small_either = m->kvmalloc(1000, bits);
  m->kvfree(small_either);
  m->kvfree(either);
  m->vfree(large);
  m->vfree(small);
}
QUARRY_TEST(FailNth, vmalloc) {
  CHECK(play_for_every_n(area_scene, gfp::kKernel | gfp::kNoWarn) >= least(15));
}

// Calls without GFP bits report what fails.
void reporting_area_scene(Machine& m, Gfp) {
  Page* page = m->alloc_pages(gfp::kKernel | gfp::kNoWarn, Order{0});
  if (page == nullptr) return;
  Page* pages[40];  // their numbers need an object of their own
  for (Page*& one : pages) one = page;
  void* mapped = m->vmap(pages);
  void* reserved = m->reserve_area(10 * kPageBytes, 8 * kPageBytes);
  void* zeroed = m->vzalloc(40 * kPageBytes);
  if (mapped == nullptr || reserved == nullptr || zeroed == nullptr) {
    CHECK(!m.log.empty());
    m.log.clear();
  }
  m->vfree(zeroed);
  m->free_area(reserved);
  m->vunmap(mapped);
  m->put_page(page);
}
QUARRY_TEST(FailNth, areas_without_flags) {
  CHECK(play_for_every_n(reporting_area_scene, gfp::kKernel) >= 8);
}

// --- Everything at once, through every engine ---

void mixed_scene(Machine& m, Gfp bits) {
  for (const unsigned cpu : {0U, 1U}) {
    m.on_cpu(cpu);
    cache_scene(m, bits);
    kmalloc_scene(m, bits);
    copies_scene(m, bits);
    krealloc_scene(m, bits);
    area_scene(m, bits);
    pages_scene(m, bits);
  }
}
QUARRY_TEST(FailNth, mixed) {
  for (unsigned i = 0; i != quarry::slab_engine_count(); ++i) {
    const auto engine = static_cast<SlabEngineKind>(i);
    const uint32_t attempts =
        play_for_every_n(mixed_scene, gfp::kKernel | gfp::kNoWarn, {.engine = engine});
    if (!CHECK(attempts >= 200)) harness::fail(__FILE__, __LINE__, slab_engine_name(engine));
  }
}

}  // namespace
