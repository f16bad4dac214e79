// SPDX-License-Identifier: MIT
#pragma once

// A thread of the storm: random calls on a system that others use too. All that it holds carries a
// checksum, and some of it goes to other threads, which free it. Threads are those of a process or
// CPUs of a bare machine, and there their interrupts too.

#include <atomic>
#include <span>

#include "base/random.h"
#include "harness.h"
#include "quarry/memory_system.h"
#include "sync/spinlock.h"

namespace smp {

enum class Kind : uint8_t { kObject, kCacheObject, kPages, kArea };

struct Item {
  Kind kind;
  uint8_t order;             // kPages
  quarry::KmemCache* cache;  // kCacheObject
  unsigned char* memory;
  size_t bytes;
  uint64_t tag;
};

inline std::atomic<uint32_t> mistakes{0};

inline uint64_t word_at(const Item& item, size_t at) {
  return (item.tag + at) * 0x9e3779b97f4a7c15U;
}
// Every 64 bytes, and the last word.
template <class Visit>
void each_word(const Item& item, Visit&& visit) {
  for (size_t at = 0; at + 8 <= item.bytes; at += 64) visit(at);
  if (item.bytes >= 8) visit((item.bytes - 8) & ~size_t{7});
}
inline void fill(const Item& item) {
  each_word(item,
            [&](size_t at) { *reinterpret_cast<uint64_t*>(item.memory + at) = word_at(item, at); });
}
inline void check(const Item& item) {
  each_word(item, [&](size_t at) {
    if (*reinterpret_cast<uint64_t*>(item.memory + at) != word_at(item, at)) mistakes.fetch_add(1);
  });
}

// A few items in no order.
template <size_t kMost>
class Pile {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kMost; }
  size_t room() const { return kMost - count_; }
  std::span<const Item> items() const { return {item_, count_}; }
  void add(const Item& item) { item_[count_++] = item; }
  Item take(quarry::Random& random) {
    const uint32_t index = random.below(count_);
    const Item item = item_[index];
    item_[index] = item_[--count_];
    return item;
  }

 private:
  Item item_[kMost];
  uint32_t count_ = 0;
};

// Where others leave what one thread shall free. Any context.
class Mailbox {
 public:
  // False: it is full.
  bool put(const Item& item) {
    quarry::LockGuard guard(lock_);
    if (items_.full()) return false;
    items_.add(item);
    return true;
  }
  // False: it is empty.
  bool take(Item& item, quarry::Random& random) {
    quarry::LockGuard guard(lock_);
    if (items_.empty()) return false;
    item = items_.take(random);
    return true;
  }

 private:
  quarry::SpinLock lock_{quarry::LockRank::kLeaf};
  Pile<256> items_;
};

// A cache that nobody else knows, from its first object to its end. How many objects it had.
inline size_t use_own_cache(quarry::MemorySystem& system, quarry::Random& random) {
  quarry::KmemCache* cache =
      system.cache_create("own", random.between(8, 2000), {.flags = QUARRY_SLAB_HWCACHE_ALIGN});
  if (cache == nullptr) return 0;
  void* objects[70];
  const size_t count =
      system.cache_alloc_bulk(cache, quarry::gfp::kKernel | quarry::gfp::kNoWarn, objects);
  if (random.one_in(2)) system.cache_shrink(cache);
  system.cache_free_bulk(cache, {objects, count});
  system.cache_destroy(cache);
  return count;
}

// What a worker may ask for.
enum class Context : uint8_t { kProcess, kInterrupt };

class Worker {
 public:
  Worker(quarry::MemorySystem& system, std::span<quarry::KmemCache* const> caches,
         std::span<Mailbox> mailboxes, unsigned number, Context context = Context::kProcess)
      : system_(system),
        caches_(caches),
        mailboxes_(mailboxes),
        number_(number),
        context_(context),
        slob_(system.slab_engine() == quarry::SlabEngineKind::kSlob),
        random_(harness::seed() * 1000 + number) {}

  void run(int operations) {
    for (int i = 0; i != operations; ++i) {
      if (i % 64 == 0) free_mail();
      if (i % 1024 == 0 && context_ == Context::kProcess) use_own_cache(system_, random_);
      if (i % 2048 == 0) system_.vm_unmap_aliases();
      if (!items_.full() && random_.below(100) < 52) {
        take();
      } else if (!items_.empty()) {
        give();
      }
    }
  }

  // For when all threads have ended.
  void free_all() {
    free_mail();
    while (!items_.empty()) free(items_.take(random_));
  }

 private:
  void take() {
    Item item{};
    item.tag = (uint64_t{number_} << 48) + ++tags_;
    const bool may_sleep = context_ == Context::kProcess;
    const quarry::Gfp bits =
        quarry::gfp::kNoWarn |
        (may_sleep && random_.one_in(2) ? quarry::gfp::kKernel : quarry::gfp::kAtomic);
    const uint32_t dice = random_.below(may_sleep ? 100 : 98);
    if (dice < 50) {
      item.kind = Kind::kObject;
      item.bytes = random_.between(8, random_.one_in(10) ? 20000 : 600);
      item.memory = static_cast<unsigned char*>(system_.kmalloc(item.bytes, bits));
    } else if (dice < 80) {
      item.kind = Kind::kCacheObject;
      item.cache = caches_[random_.below(static_cast<uint32_t>(caches_.size()))];
      item.bytes = quarry::MemorySystem::cache_info(*item.cache).object_size;
      item.memory = static_cast<unsigned char*>(system_.cache_alloc(item.cache, bits));
    } else if (dice < 98) {
      item.kind = Kind::kPages;
      item.order = static_cast<uint8_t>(random_.below(5));
      item.bytes = size_t{4096} << item.order;
      const quarry::Gfp flags = random_.one_in(2) ? bits | quarry::gfp::kComp : bits;
      item.memory =
          static_cast<unsigned char*>(system_.get_free_pages(flags, quarry::Order(item.order)));
    } else {
      item.kind = Kind::kArea;
      item.bytes = random_.between(1, 20) * 4096;
      item.memory = static_cast<unsigned char*>(
          system_.vmalloc(item.bytes, quarry::gfp::kKernel | quarry::gfp::kNoWarn));
    }
    if (item.memory == nullptr) return;
    fill(item);
    items_.add(item);
  }

  void give() {
    const Item item = items_.take(random_);
    Mailbox& other = mailboxes_[random_.below(static_cast<uint32_t>(mailboxes_.size()))];
    if (!random_.one_in(4) || !other.put(item)) free(item);
  }

  void free_mail() {
    Item item;
    while (mailboxes_[number_].take(item, random_)) free(item);
  }

  void free(const Item& item) {
    check(item);
    switch (item.kind) {
      case Kind::kObject:
        return system_.kfree(item.memory);
      case Kind::kCacheObject:
        return slob_ || random_.one_in(2) ? system_.cache_free(item.cache, item.memory)
                                          : system_.kfree(item.memory);
      case Kind::kPages:
        return free_pages(item);
      case Kind::kArea:
        return system_.vfree(item.memory);
    }
  }

  void free_pages(const Item& item) {
    quarry::Page* page = system_.virt_to_page(item.memory);
    if (random_.one_in(4)) {
      system_.get_page(page);
      system_.free_pages(page, quarry::Order(item.order));
      check_first_page(item);
      return system_.put_page(page);
    }
    system_.free_pages_at(item.memory, quarry::Order(item.order));
  }
  // The reference keeps at least this one.
  static void check_first_page(Item item) {
    item.bytes = 4096 - 64 + 8;  // ends with a word that fill() has written
    check(item);
  }

  quarry::MemorySystem& system_;
  std::span<quarry::KmemCache* const> caches_;
  std::span<Mailbox> mailboxes_;
  unsigned number_;
  Context context_;
  bool slob_;  // an object does not tell its cache
  quarry::Random random_;
  uint64_t tags_ = 0;
  Pile<400> items_;
};

}  // namespace smp
