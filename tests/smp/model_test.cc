// SPDX-License-Identifier: MIT
// Ten million operations of four threads on caches and kmalloc of one system, and on each other's
// objects, against a list of what should be alive. Every byte of an object says whose it is. Each
// round ends with all threads: then no two objects may overlap, caches must have counted as many as
// there are, and every invariant has to hold.
#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "machine.h"
#include "smp/worker.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::KmemCache;
using quarry::MemorySystem;
using quarry::NodeId;
using quarry::Random;
using smp::Item;
using smp::Kind;
namespace gfp = quarry::gfp;

constexpr uint64_t kOperations = 10'000'000;  // calls that allocate or free
constexpr unsigned kThreads = 4;
constexpr unsigned kRounds = 40;
constexpr unsigned kNodes = 2;
constexpr size_t kMostObjects = 400;  // of a thread
constexpr size_t kMostBulk = 30;

struct Shape {
  uint32_t bytes;
  quarry::CacheOptions options;
};

// What a constructor does; it survives a free. SLOB constructs at each allocation.
constexpr size_t kConstructedBytes = 32;
constexpr int kConstructedByte = 0xc7;
void construct(void* object) { std::memset(object, kConstructedByte, kConstructedBytes); }

constexpr Shape kShapes[] = {
    {9, {}},
    {40, {.ctor = construct}},
    {64, {.flags = QUARRY_SLAB_HWCACHE_ALIGN}},
    {100, {.flags = QUARRY_SLAB_TYPESAFE_BY_RCU}},
    {192, {.align = 64, .flags = QUARRY_SLAB_RECLAIM_ACCOUNT}},
    {500, {.flags = QUARRY_SLAB_TYPESAFE_BY_RCU, .ctor = construct}},
    {1500, {}},
    {5000, {}},
};
constexpr size_t kCaches = std::size(kShapes);

bool all_bytes_are(const unsigned char* memory, size_t count, unsigned char byte) {
  return count == 0 || (memory[0] == byte && std::memcmp(memory, memory + 1, count - 1) == 0);
}

// An object begins with its tag, as much of it as it holds, and goes on with one of its bytes.
void mark(const Item& item) {
  const size_t head = std::min(item.bytes, sizeof(item.tag));
  std::memcpy(item.memory, &item.tag, head);
  std::memset(item.memory + head, static_cast<int>(item.tag & 0xff), item.bytes - head);
}
void expect_mark(const Item& item, size_t bytes) {
  const size_t head = std::min(bytes, sizeof(item.tag));
  const bool right =
      std::memcmp(item.memory, &item.tag, head) == 0 &&
      all_bytes_are(item.memory + head, bytes - head, static_cast<unsigned char>(item.tag & 0xff));
  if (!right) smp::mistakes.fetch_add(1);
}

class Caller {
 public:
  Caller(MemorySystem& system, std::span<KmemCache* const, kCaches> caches,
         std::span<smp::Mailbox> mailboxes, unsigned number)
      : system_(system),
        caches_(caches),
        mailboxes_(mailboxes),
        number_(number),
        slob_(system.slab_engine() == quarry::SlabEngineKind::kSlob),
        random_(harness::seed() * 1000 + number) {}

  void run(uint64_t operations) {
    for (const uint64_t end = operations_ + operations; operations_ < end;) step();
  }
  // For when the threads have ended.
  void free_mail() {
    Item item;
    while (mailboxes_[number_].take(item, random_)) free(item);
  }
  void free_all() {
    free_mail();
    while (!items_.empty()) free(items_.take(random_));
  }

  uint64_t operations() const { return operations_; }
  std::span<const Item> items() const { return items_.items(); }
  // Objects of a cache that it has allocated, less those that it has freed.
  int64_t balance(size_t cache) const { return balance_[cache]; }

 private:
  void step() {
    if (random_.one_in(64)) free_mail();
    if (random_.one_in(256)) system_.step();
    if (random_.one_in(1000)) take_percent_ = random_.between(30, 70);
    if (random_.one_in(5000)) system_.cache_shrink(some_cache());
    if (random_.one_in(10000)) own_cache();
    const bool bulk = random_.one_in(40);
    if (random_.below(100) < take_percent_) {
      bulk ? take_bulk() : take();
    } else if (!items_.empty()) {
      if (random_.one_in(16)) return resize();
      bulk ? free_bulk() : give();
    }
  }

  // --- More objects ---

  void take() {
    if (items_.full()) return;
    const bool zeroed = random_.one_in(4);
    const quarry::Gfp bits = random_.one_in(2) ? gfp::kKernel : gfp::kAtomic;
    random_.one_in(2) ? take_object(zeroed ? bits | gfp::kZero : bits)
                      : take_of_cache(bits, zeroed);
  }

  void take_object(quarry::Gfp bits) {
    const size_t bytes = some_bytes();
    void* memory = random_.one_in(8) ? system_.kmalloc_node(bytes, bits, some_node())
                                     : system_.kmalloc(bytes, bits);
    ++operations_;
    add(nullptr, memory, bytes, any(bits, gfp::kZero));
  }

  void take_of_cache(quarry::Gfp bits, bool zeroed) {
    KmemCache* cache = some_cache();
    zeroed = zeroed && kShapes[index_of(cache)].options.ctor == nullptr;
    if (zeroed) bits = bits | gfp::kZero;
    void* memory = random_.one_in(8) ? system_.cache_alloc_node(cache, bits, some_node())
                                     : system_.cache_alloc(cache, bits);
    ++operations_;
    add(cache, memory, kShapes[index_of(cache)].bytes, zeroed);
  }

  void take_bulk() {
    void* objects[kMostBulk];
    const size_t wanted = random_.between(1, kMostBulk);
    if (items_.room() < wanted) return;
    KmemCache* cache = some_cache();
    const size_t got = system_.cache_alloc_bulk(cache, gfp::kKernel, {objects, wanted});
    ++operations_;
    if (got != wanted) smp::mistakes.fetch_add(1);
    for (size_t i = 0; i != got; ++i) add(cache, objects[i], kShapes[index_of(cache)].bytes, false);
  }

  // Null cache: an object of kmalloc.
  void add(KmemCache* cache, void* memory, size_t bytes, bool zeroed) {
    if (memory == nullptr) {
      smp::mistakes.fetch_add(1);  // there is memory enough
      return;
    }
    const Item item{.kind = cache == nullptr ? Kind::kObject : Kind::kCacheObject,
                    .order = 0,
                    .cache = cache,
                    .memory = static_cast<unsigned char*>(memory),
                    .bytes = bytes,
                    .tag = (uint64_t{number_ + 1} << 56) + ++tags_};
    if (zeroed && !all_bytes_are(item.memory, bytes, 0)) smp::mistakes.fetch_add(1);
    if (cache != nullptr) {
      const size_t index = index_of(cache);
      ++balance_[index];
      if (kShapes[index].options.ctor != nullptr &&
          !all_bytes_are(item.memory, kConstructedBytes, kConstructedByte)) {
        smp::mistakes.fetch_add(1);
      }
    }
    mark(item);
    items_.add(item);
  }

  void resize() {
    Item item = items_.take(random_);
    if (item.kind == Kind::kObject) {
      const size_t bytes = some_bytes();
      void* memory = system_.krealloc(item.memory, bytes, gfp::kKernel);
      ++operations_;
      if (memory == nullptr) return void(smp::mistakes.fetch_add(1));
      item.memory = static_cast<unsigned char*>(memory);
      expect_mark(item, std::min(bytes, item.bytes));
      item.bytes = bytes;
      mark(item);
    }
    items_.add(item);
  }

  // --- Fewer ---

  void give() {
    const Item item = items_.take(random_);
    smp::Mailbox& other = mailboxes_[random_.below(kThreads)];
    if (!random_.one_in(4) || !other.put(item)) free(item);
  }

  void free(const Item& item) {
    retire(item);
    ++operations_;
    // With SLOB an object does not tell its cache.
    if (item.kind == Kind::kCacheObject && (slob_ || random_.one_in(2))) {
      return system_.cache_free(item.cache, item.memory);
    }
    system_.kfree(item.memory);
  }

  // Of kmalloc and all caches, but with SLOB of one.
  void free_bulk() {
    void* objects[kMostBulk];
    const size_t wanted = std::min<size_t>(random_.between(1, kMostBulk), items_.items().size());
    KmemCache* cache = nullptr;
    size_t count = 0;
    for (size_t tries = 0; tries != wanted; ++tries) {
      const Item item = items_.take(random_);
      if (slob_ && count == 0) cache = item.cache;
      if (slob_ && item.cache != cache) {
        items_.add(item);
        continue;
      }
      retire(item);
      objects[count++] = item.memory;
    }
    system_.cache_free_bulk(cache, {objects, count});
    ++operations_;
  }

  // Nobody else had it, and it is as it has to come back.
  void retire(const Item& item) {
    expect_mark(item, item.bytes);
    if (item.kind != Kind::kCacheObject) return;
    const size_t index = index_of(item.cache);
    --balance_[index];
    if (kShapes[index].options.ctor != nullptr) construct(item.memory);
  }

  void own_cache() {
    if (smp::use_own_cache(system_, random_) == 0) smp::mistakes.fetch_add(1);
    operations_ += 2;
  }

  // The smaller its objects, the more often.
  KmemCache* some_cache() {
    return caches_[std::min(random_.below(kCaches), random_.below(kCaches))];
  }
  size_t some_bytes() { return random_.between(1, random_.one_in(32) ? 9000 : 300); }
  size_t index_of(const KmemCache* cache) const {
    return static_cast<size_t>(std::find(caches_.begin(), caches_.end(), cache) - caches_.begin());
  }
  NodeId some_node() { return NodeId(static_cast<int>(random_.below(kNodes))); }

  MemorySystem& system_;
  std::span<KmemCache* const, kCaches> caches_;
  std::span<smp::Mailbox> mailboxes_;
  unsigned number_;
  bool slob_;
  Random random_;
  unsigned take_percent_ = 60;
  uint64_t operations_ = 0;
  uint64_t tags_ = 0;
  int64_t balance_[kCaches] = {};
  smp::Pile<kMostObjects> items_;
};

class Model {
 public:
  explicit Model(CpuKind kind) : m_{.nodes = kNodes, .mib = 96, .cpus = 0, .cpu_kind = kind} {
    smp::mistakes = 0;
  }

  void run() {
    for (size_t i = 0; i != kCaches; ++i) {
      caches_[i] = m_->cache_create("model", kShapes[i].bytes, kShapes[i].options);
      REQUIRE(caches_[i] != nullptr);
    }
    for (unsigned i = 0; i != kThreads; ++i) {
      callers_.emplace_back(m_.system, caches_, mailboxes_, i);
    }
    for (unsigned round = 0; round != kRounds && harness::run.failures == 0; ++round) {
      std::vector<std::thread> threads;
      for (Caller& caller : callers_) {
        threads.emplace_back([&] { caller.run(kOperations / kThreads / kRounds); });
      }
      for (std::thread& thread : threads) thread.join();
      validate();
    }
    uint64_t operations = 0;
    for (const Caller& caller : callers_) operations += caller.operations();
    CHECK(operations >= kOperations);
    for (Caller& caller : callers_) caller.free_all();
    validate();
    for (KmemCache* cache : caches_) m_->cache_destroy(cache);
  }

 private:
  void validate() {
    for (Caller& caller : callers_) caller.free_mail();
    std::vector<Item> alive;
    for (const Caller& caller : callers_) {
      alive.insert(alive.end(), caller.items().begin(), caller.items().end());
    }
    std::sort(alive.begin(), alive.end(),
              [](const Item& a, const Item& b) { return a.memory < b.memory; });
    size_t overlaps = 0;
    for (size_t i = 0; i != alive.size(); ++i) {
      expect_mark(alive[i], alive[i].bytes);
      if (i != 0 && alive[i - 1].memory + alive[i - 1].bytes > alive[i].memory) ++overlaps;
    }
    CHECK_EQ(overlaps, 0U);
    CHECK_EQ(smp::mistakes.load(), 0U);
    CHECK(m_.sound());
    for (size_t i = 0; i != kCaches; ++i) count(i, alive);
  }

  // SLOB keeps no books.
  void count(size_t index, std::span<const Item> alive) {
    KmemCache* cache = caches_[index];
    const auto listed = std::count_if(alive.begin(), alive.end(),
                                      [&](const Item& item) { return item.cache == cache; });
    int64_t balance = 0;
    for (const Caller& caller : callers_) balance += caller.balance(index);
    CHECK_EQ(balance, listed);
    if (m_->slab_engine() == quarry::SlabEngineKind::kSlob) return;
    const quarry::CacheInfo info = MemorySystem::cache_info(*cache);
    CHECK_EQ(info.active_objects - info.cached_objects, listed);
  }

  Machine m_;
  KmemCache* caches_[kCaches] = {};
  smp::Mailbox mailboxes_[kThreads];
  std::vector<Caller> callers_;
};

QUARRY_TEST(ThreadsModel, lockless_arrays) { Model(CpuKind::kLockless).run(); }

}  // namespace
