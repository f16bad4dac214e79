// SPDX-License-Identifier: MIT
#include "engine_figures.h"

#include <algorithm>
#include <random>

#include "measured_machine.h"
#include "tool_error.h"
#include "trace_events.h"

namespace quarry::tool {
namespace {

constexpr uint64_t kRamBytes = 256 * kMiB;
constexpr size_t kObjects = 40'000;

uint64_t slab_bytes(MemorySystem& system) { return system.slab_page_count() * kPageBytes; }

// Gives back what no object is in.
void shrink_all(MemorySystem& system, const std::vector<KmemCache*>& caches) {
  for (KmemCache* cache : caches) system.cache_shrink(cache);
}

// The same requests for every engine. Most objects are small.
void measure_mixed_sizes(unsigned engine, EngineFigures& figures) {
  MeasuredMachine machine(kRamBytes, config_of(engine));
  std::mt19937 random(1);
  std::exponential_distribution<double> size(1.0 / 120);
  const uint64_t before = slab_bytes(*machine);
  struct Object {
    void* at;
    size_t bytes;
  };
  std::vector<Object> objects;
  std::vector<KmemCache*> caches;
  for (size_t i = 0; i != kObjects; ++i) {
    const auto bytes = std::min<size_t>(16 + static_cast<size_t>(size(random)), 1024);
    objects.push_back({machine->kmalloc(bytes, gfp::kKernel), bytes});
    KmemCache* cache = machine->cache_of(objects.back().at);
    if (cache != nullptr && std::ranges::find(caches, cache) == caches.end()) {
      caches.push_back(cache);
    }
    figures.mixed_requested_bytes += bytes;
  }
  figures.mixed_slab_bytes = slab_bytes(*machine) - before;
  for (Object& object : objects) {
    if (random() % 4 == 0) {
      figures.sparse_requested_bytes += object.bytes;
    } else {
      machine->kfree(object.at);
      object.at = nullptr;
    }
  }
  shrink_all(*machine, caches);
  figures.sparse_slab_bytes = slab_bytes(*machine) - before;
  for (const Object& object : objects) machine->kfree(object.at);
}

template <class Alloc, class Free>
double overhead_of_64(MemorySystem& system, Alloc&& alloc, Free&& free) {
  std::vector<void*> objects;
  // Counted from the first that needs new pages: others fill what there is.
  const uint64_t before = slab_bytes(system);
  do {
    objects.push_back(alloc());
  } while (slab_bytes(system) == before);
  for (size_t i = 1; i != kObjects; ++i) objects.push_back(alloc());
  const double taken = static_cast<double>(slab_bytes(system) - before);
  for (void* object : objects) free(object);
  return taken / static_cast<double>(kObjects) - 64;
}

void measure_overheads(unsigned engine, EngineFigures& figures) {
  MeasuredMachine machine(kRamBytes, config_of(engine));
  figures.kmalloc64_overhead_bytes = overhead_of_64(
      *machine, [&] { return machine->kmalloc(64, gfp::kKernel); },
      [&](void* object) { machine->kfree(object); });
  KmemCache* cache = machine->cache_create("of_64", 64);
  figures.cache64_overhead_bytes = overhead_of_64(
      *machine, [&] { return machine->cache_alloc(cache, gfp::kKernel); },
      [&](void* object) { machine->cache_free(cache, object); });
  machine->cache_destroy(cache);
}

// Whether a machine of that size boots and gives an object and a page.
bool serves(unsigned engine, uint64_t ram_bytes) {
  MeasuredMachine machine(ram_bytes, config_of(engine));
  if (!machine.booted()) return false;
  void* object = machine->kmalloc(1000, gfp::kKernel | gfp::kNoWarn);
  Page* page = machine->alloc_pages(gfp::kKernel | gfp::kNoWarn, Order{0});
  machine->kfree(object);
  if (page != nullptr) machine->put_page(page);
  return object != nullptr && page != nullptr;
}

void measure_idle(unsigned engine, EngineFigures& figures) {
  constexpr uint64_t kIdleRam = 64 * kMiB;
  {
    MeasuredMachine machine(kIdleRam, config_of(engine));
    figures.idle_bytes = kIdleRam - machine->free_page_count() * kPageBytes;
  }
  for (uint64_t ram = kMiB; ram <= kIdleRam && figures.smallest_ram_bytes == 0; ram += kMiB) {
    if (serves(engine, ram)) figures.smallest_ram_bytes = ram;
  }
}

void measure_speed(unsigned engine, EngineFigures& figures) {
  constexpr size_t kPairs = 20'000;
  constexpr size_t kBatch = 1000;
  MeasuredMachine machine(kRamBytes, config_of(engine));
  machine.populate();
  MemorySystem& system = *machine;
  KmemCache* cache = system.cache_create("speed", 64);
  figures.pair_ns = fastest_ns(kPairs, [&] {
    for (size_t i = 0; i != kPairs; ++i) system.kfree(system.kmalloc(64, gfp::kKernel));
  });
  figures.cache_pair_ns = fastest_ns(kPairs, [&] {
    for (size_t i = 0; i != kPairs; ++i) {
      system.cache_free(cache, system.cache_alloc(cache, gfp::kKernel));
    }
  });
  std::vector<void*> objects(kBatch);
  std::vector<size_t> order(kBatch);
  for (size_t i = 0; i != kBatch; ++i) order[i] = i;
  const auto batch = [&] {
    for (void*& object : objects) object = system.kmalloc(64, gfp::kKernel);
    for (const size_t i : order) system.kfree(objects[i]);
  };
  figures.batch_ns = fastest_ns(kBatch, batch);
  std::ranges::shuffle(order, std::mt19937(1));
  figures.random_ns = fastest_ns(kBatch, batch);
  system.cache_destroy(cache);
}

}  // namespace

unsigned EngineFigures::noticed_bugs() const {
  return static_cast<unsigned>(std::ranges::count_if(bugs, &PlantedBug::noticed));
}

unsigned EngineFigures::noticed_bugs_debugged() const {
  return static_cast<unsigned>(std::ranges::count_if(bugs, &PlantedBug::noticed_debugged));
}

EngineFigures measure_engine(unsigned engine) {
  EngineFigures figures;
  figures.engine = slab_engine_name(static_cast<SlabEngineKind>(engine));
  // First, while this process has no other threads.
  figures.bugs = plant_bugs(engine);
  measure_mixed_sizes(engine, figures);
  measure_overheads(engine, figures);
  measure_idle(engine, figures);
  measure_speed(engine, figures);
  return figures;
}

}  // namespace quarry::tool
