// SPDX-License-Identifier: MIT
// Random operations on caches of random shapes against a list of what should be alive. Every byte
// of every object says whose it is, so that an object given out twice, moved or overwritten shows.
#include "base/random.h"
#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::CacheInfo;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::NodeId;
using quarry::Random;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

constexpr unsigned kOperations = 1'100'000;
constexpr int kPerValidation = 5000;
constexpr unsigned kCaches = 16;
constexpr unsigned kMostObjects = 3000;
constexpr unsigned kMostBulk = 80;
constexpr unsigned kCpus = 4;
constexpr unsigned kNodes = 2;
constexpr unsigned char kConstructedByte = 0xc7;

struct Object {
  unsigned cache;
  unsigned char* memory;
  uint32_t tag;
};

// The constructed state covers the first bytes; users restore it before they free an object.
constexpr size_t kConstructedBytes = 64;
void construct(void* object) { __builtin_memset(object, kConstructedByte, kConstructedBytes); }

struct ModelCache {
  KmemCache* cache = nullptr;
  size_t bytes = 0;
  size_t align = 0;
  size_t constructed = 0;  // bytes that the constructor fills
  size_t alive = 0;
};

class KmemModel {
 public:
  KmemModel(Machine& machine, uint64_t seed)
      : m_(machine), slob_(machine->slab_engine() == SlabEngineKind::kSlob), random_(seed) {}

  void run() {
    for (unsigned i = 0; i != harness::operations(kOperations) && harness::run.failures == 0; ++i) {
      step();
      // Pages that waited for readers; simulated CPUs have nobody else who does it.
      if (m_.cpu_kind == CpuKind::kSimulated) m_->step();
      if (i % kPerValidation == 0) validate();
    }
    while (count_ != 0) free_one();
    validate();
    for (ModelCache& one : caches_) m_->cache_destroy(one.cache);
  }

 private:
  void step() {
    if (m_.cpu_kind == CpuKind::kSimulated && random_.one_in(8)) m_.on_cpu(random_.below(kCpus));
    // What waits for readers goes home.
    if (random_.one_in(64)) m_->step();
    if (random_.one_in(2000)) alloc_percent_ = random_.between(30, 70);
    ModelCache& one = caches_[random_.below(kCaches)];
    if (one.cache == nullptr) return create(one);
    // SLOB lets go of a cache whatever is in use of it.
    if (random_.one_in(3000) && !(slob_ && one.alive != 0)) return destroy(one);
    if (random_.one_in(1500)) return shrink(one);
    const bool bulk = random_.one_in(40);
    if (random_.below(100) < alloc_percent_) {
      bulk ? alloc_bulk(one) : alloc(one);
    } else {
      bulk ? free_bulk() : free_one();
    }
  }

  void create(ModelCache& one) {
    one.bytes = random_.one_in(4) ? random_.between(1, 6000) : random_.between(4, 300);
    one.align = random_.one_in(2) ? 8 : size_t{1} << random_.between(3, 9);
    one.constructed = one.bytes >= kConstructedBytes && random_.one_in(4) ? kConstructedBytes : 0;
    uint32_t flags = 0;
    if (random_.one_in(4)) flags |= QUARRY_SLAB_HWCACHE_ALIGN;
    if (random_.one_in(4)) flags |= QUARRY_SLAB_TYPESAFE_BY_RCU;
    if (random_.one_in(4)) flags |= QUARRY_SLAB_RECLAIM_ACCOUNT;
    one.cache = m_->cache_create("model", one.bytes,
                                 {.align = static_cast<uint32_t>(one.align),
                                  .flags = flags,
                                  .ctor = one.constructed != 0 ? construct : nullptr});
    CHECK(one.cache != nullptr);
  }

  void destroy(ModelCache& one) {
    m_->cache_destroy(one.cache);
    if (one.alive == 0) {
      one = {};
    } else {
      // SLUB says first where they are, which may be more than the log takes.
      CHECK(m_.reported("Objects remaining in ") || m_.reported("Slab cache still has objects"));
    }
  }

  void shrink(ModelCache& one) {
    CHECK_EQ(m_->cache_shrink(one.cache), slob_ || one.alive == 0);
    CHECK_EQ(MemorySystem::cache_info(*one.cache).cached_objects, 0U);
  }

  void alloc(ModelCache& one) {
    if (count_ == kMostObjects) return;
    const bool zeroed = one.constructed == 0 && random_.one_in(3);
    const quarry::Gfp bits = zeroed ? gfp::kKernel | gfp::kZero : gfp::kAtomic;
    void* memory = random_.one_in(5)
                       ? m_->cache_alloc_node(one.cache, bits, NodeId(random_.below(kNodes)))
                       : m_->cache_alloc(one.cache, bits);
    add(one, memory, zeroed);
  }

  void alloc_bulk(ModelCache& one) {
    void* objects[kMostBulk];
    const size_t wanted = random_.between(1, kMostBulk);
    if (count_ + wanted > kMostObjects) return;
    CHECK_EQ(m_->cache_alloc_bulk(one.cache, gfp::kKernel, {objects, wanted}), wanted);
    for (size_t i = 0; i != wanted; ++i) add(one, objects[i], false);
  }

  void add(ModelCache& one, void* memory, bool zeroed) {
    REQUIRE(memory != nullptr);
    auto* byte = static_cast<unsigned char*>(memory);
    CHECK_EQ(reinterpret_cast<uintptr_t>(memory) % one.align, 0U);
    CHECK(m_->cache_of(memory) == (slob_ ? nullptr : one.cache));
    for (size_t i = 0; i != one.constructed; ++i) CHECK_EQ(byte[i], kConstructedByte);
    if (zeroed) {
      size_t used = 0;
      for (size_t i = 0; i != one.bytes; ++i) used += byte[i] != 0 ? 1 : 0;
      CHECK_EQ(used, 0U);
    }
    const auto cache = static_cast<unsigned>(&one - caches_);
    Object& object = objects_[count_++] = {cache, byte, ++tags_};
    for (size_t i = 0; i != one.bytes; ++i) byte[i] = pattern(object, i);
    ++one.alive;
  }

  // Checks the object and takes it from the list.
  void* remove(unsigned index) {
    const Object object = objects_[index];
    objects_[index] = objects_[--count_];
    ModelCache& one = caches_[object.cache];
    --one.alive;
    size_t wrong = 0;
    for (size_t i = 0; i != one.bytes; ++i) {
      wrong += object.memory[i] != pattern(object, i) ? 1 : 0;
    }
    CHECK_EQ(wrong, 0U);
    // SLOB constructs at each allocation.
    if (one.constructed != 0 && !slob_) construct(object.memory);
    return object.memory;
  }

  void free_one() {
    if (count_ == 0) return;
    const unsigned index = random_.below(count_);
    KmemCache* cache = caches_[objects_[index].cache].cache;
    void* memory = remove(index);
    slob_ || random_.one_in(2) ? m_->cache_free(cache, memory) : m_->kfree(memory);
  }

  void free_bulk() {
    void* objects[kMostBulk];
    const size_t wanted = random_.between(1, kMostBulk);
    size_t got = 0;
    // Of any cache; of one where an object does not tell which.
    const unsigned cache = count_ != 0 ? objects_[random_.below(count_)].cache : 0;
    for (size_t tries = 0; got != wanted && count_ != 0 && tries != 10 * wanted; ++tries) {
      const unsigned index = random_.below(count_);
      if (!slob_ || objects_[index].cache == cache) objects[got++] = remove(index);
    }
    m_->cache_free_bulk(slob_ ? caches_[cache].cache : nullptr, {objects, got});
  }

  static unsigned char pattern(const Object& object, size_t at) {
    return static_cast<unsigned char>(object.tag * 0x9e3779b1U >> at % 4 * 8 ^ at);
  }

  void validate() {
    m_->rcu_barrier();  // no thread of the host frees anything meanwhile
    CHECK(m_.sound());
    for (const ModelCache& one : caches_) {
      if (one.cache == nullptr) continue;
      const CacheInfo info = MemorySystem::cache_info(*one.cache);
      CHECK_EQ(info.active_objects - info.cached_objects, slob_ ? 0 : one.alive);
    }
  }

  Machine& m_;
  const bool slob_;  // caches keep no books
  Random random_;
  unsigned alloc_percent_ = 60;
  ModelCache caches_[kCaches];
  Object objects_[kMostObjects];
  unsigned count_ = 0;
  uint32_t tags_ = 0;
};

void run_model(CpuKind kind) {
  const unsigned cpus = kind == CpuKind::kSimulated ? kCpus : 0;
  Machine m{.nodes = kNodes, .mib = 96, .cpus = cpus, .cpu_kind = kind};
  KmemModel(m, harness::seed()).run();
}

QUARRY_TEST(KmemModel, simulated_cpus) { run_model(CpuKind::kSimulated); }
QUARRY_TEST(KmemModel, locked_arrays) { run_model(CpuKind::kLocked); }
QUARRY_TEST(KmemModel, lockless_arrays) { run_model(CpuKind::kLockless); }

}  // namespace
