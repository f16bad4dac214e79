// SPDX-License-Identifier: MIT
// Readers on real CPUs while others replace and free what they read.
#include "quarry/rcu.h"

#include <unistd.h>

#include <thread>
#include <vector>

#include "base/random.h"
#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::KmemCache;
using quarry::RcuHead;
using quarry::RcuReadGuard;
namespace gfp = quarry::gfp;

constexpr unsigned kReaders = 3;
constexpr unsigned kWriters = 2;
constexpr unsigned kSlots = 16;
constexpr uint32_t kReplacements = 30'000;  // of a writer

std::atomic<unsigned> mistakes{0};

// What a slot shows. While it can be seen the second word is the complement of the first.
struct Entry {
  RcuHead head;
  uint64_t value;
  uint64_t complement;
};

struct Board {
  explicit Board(CpuKind kind) : m{.mib = 64, .cpus = 0, .cpu_kind = kind} { mistakes = 0; }

  template <typename Read, typename Write>
  void run(Read&& read, Write&& write) {
    std::vector<std::thread> readers;
    std::atomic<unsigned> reading{0};
    for (unsigned i = 0; i != kReaders; ++i) {
      readers.emplace_back([&, i] {
        quarry::Random random(harness::seed() + 100 + i);
        reading.fetch_add(1);
        while (!over.load(std::memory_order_relaxed)) read(random);
      });
    }
    while (reading != kReaders) sched_yield();
    std::vector<std::thread> writers;
    for (unsigned i = 0; i != kWriters; ++i) {
      writers.emplace_back([&, i] {
        quarry::Random random(harness::seed() + i);
        for (uint32_t n = 0; n != kReplacements; ++n) write(random);
      });
    }
    for (std::thread& thread : writers) thread.join();
    over = true;
    for (std::thread& thread : readers) thread.join();
    CHECK_EQ(mistakes.load(), 0U);
  }

  Machine m;
  std::atomic<bool> over{false};
  std::atomic<Entry*> slot[kSlots] = {};
};

// Takes what was freed last, and writes all over it.
void scribble(quarry::MemorySystem& system) {
  void* taken[4];
  for (void*& memory : taken) {
    memory = system.kmalloc(sizeof(Entry), gfp::kKernel);
    if (memory != nullptr) __builtin_memset(memory, 0x6b, sizeof(Entry));
  }
  for (void* memory : taken) system.kfree(memory);
}

// A reader that sees what the next user wrote was not waited for; the sanitizer sees it too.
void replace_and_free(CpuKind kind, bool by_waiting) {
  Board board(kind);
  quarry::MemorySystem& system = board.m.system;
  board.run(
      [&](quarry::Random& random) {
        const RcuReadGuard guard(system);
        for (int i = 0; i != 8; ++i) {
          const Entry* entry = board.slot[random.below(kSlots)].load(std::memory_order_acquire);
          if (entry == nullptr) continue;
          if (entry->value != ~entry->complement) mistakes.fetch_add(1);
          if (i == 3 && random.below(8) == 0) sched_yield();
          if (entry->value != ~entry->complement) mistakes.fetch_add(1);
        }
      },
      [&](quarry::Random& random) {
        auto* entry = static_cast<Entry*>(system.kmalloc(sizeof(Entry), gfp::kKernel));
        if (entry == nullptr) return;
        entry->value = random.next_u64();
        entry->complement = ~entry->value;
        Entry* old = board.slot[random.below(kSlots)].exchange(entry, std::memory_order_acq_rel);
        if (old == nullptr) return;
        if (by_waiting && random.below(32) == 0) {
          system.synchronize_rcu();
          __builtin_memset(static_cast<void*>(old), 0x6b, sizeof(Entry));
          system.kfree(old);
        } else if (random.below(8) == 0) {
          system.kvfree_deferred(old);
        } else {
          system.kvfree_deferred(&old->head, old);
        }
        if (random.below(16) == 0) scribble(system);
      });
  system.synchronize_rcu();
  for (std::atomic<Entry*>& slot : board.slot) system.kfree(slot.load());
  system.rcu_barrier();
}

QUARRY_TEST(RcuStress, entries_are_freed_when_readers_are_gone) {
  replace_and_free(CpuKind::kLockless, false);
}
QUARRY_TEST(RcuStress, and_so_are_those_whose_owner_waited) {
  replace_and_free(CpuKind::kLocked, true);
}

// Objects of one type for ever: a reader may find one that is free, or another's by now, but never
// anything else in its memory. The mark is written by the constructor and by nobody after it.
struct Typed {
  static constexpr uint64_t kMark = 0x5afe0b1ec7000000;
  uint64_t mark;
  std::atomic<uint64_t> value;
  unsigned char rest[200];
};

QUARRY_TEST(RcuStress, typesafe_objects_stay_of_their_type) {
  Board board(CpuKind::kLockless);
  quarry::MemorySystem& system = board.m.system;
  KmemCache* cache = system.cache_create(
      "typed", sizeof(Typed), {.flags = QUARRY_SLAB_TYPESAFE_BY_RCU, .ctor = [](void* object) {
                                 new (object) Typed{.mark = Typed::kMark, .value = {}, .rest = {}};
                               }});
  REQUIRE(cache != nullptr);
  std::atomic<Typed*> slot[kSlots] = {};
  board.run(
      [&](quarry::Random& random) {
        const RcuReadGuard guard(system);
        const Typed* typed = slot[random.below(kSlots)].load(std::memory_order_acquire);
        if (typed == nullptr) return;
        if (random.below(4) == 0) sched_yield();
        if (typed->mark != Typed::kMark) mistakes.fetch_add(1);
      },
      [&](quarry::Random& random) {
        auto* typed = static_cast<Typed*>(system.cache_alloc(cache, gfp::kKernel));
        if (typed == nullptr) return;
        typed->value.store(random.next_u64(), std::memory_order_relaxed);
        Typed* old = slot[random.below(kSlots)].exchange(typed, std::memory_order_acq_rel);
        if (old != nullptr) system.cache_free(cache, old);
        if (random.below(64) != 0) return;
        // Its page goes, and whoever gets it writes all over it.
        system.cache_shrink(cache);
        void* pages[8];
        for (void*& page : pages) {
          page = system.get_free_pages(gfp::kKernel, quarry::Order(0));
          if (page != nullptr) __builtin_memset(page, 0xee, 4096);
        }
        for (void* page : pages) system.free_pages_at(page, quarry::Order(0));
      });
  for (std::atomic<Typed*>& one : slot) {
    if (one.load() != nullptr) system.cache_free(cache, one.load());
  }
  system.cache_destroy(cache);
}

// Says that it was called.
struct Call {
  RcuHead head;
  std::atomic<unsigned>* calls;
};
void count_call(RcuHead* head) {
  reinterpret_cast<Call*>(head)->calls->fetch_add(1, std::memory_order_release);
}
bool reaches(const std::atomic<unsigned>& calls, unsigned wanted) {
  for (int i = 0; i != 10'000 && calls.load(std::memory_order_acquire) != wanted; ++i) usleep(1000);
  return calls.load() == wanted;
}

// Nobody calls step() or waits: the platform's thread does it.
QUARRY_TEST(RcuStress, the_background_frees_by_itself) {
  Machine m{.mib = 64,
            .cpus = 0,
            .engine = quarry::SlabEngineKind::kSlub,
            .cpu_kind = CpuKind::kLockless};
  std::atomic<unsigned> calls{0};
  Call call[10];
  for (unsigned round = 1; round <= 3; ++round) {
    for (Call& one : call) {
      one.calls = &calls;
      m->call_rcu(&one.head, count_call);
    }
    CHECK(reaches(calls, 10 * round));
  }
}

// A section that lasts keeps the background waiting, and its end sets it free.
QUARRY_TEST(RcuStress, the_background_waits_for_a_reader) {
  Machine m{.mib = 64,
            .cpus = 0,
            .engine = quarry::SlabEngineKind::kSlub,
            .cpu_kind = CpuKind::kLockless};
  std::atomic<unsigned> calls{0};
  Call call{.head = {}, .calls = &calls};
  {
    const RcuReadGuard reader(m.system);
    m->call_rcu(&call.head, count_call);
    usleep(20'000);
    CHECK_EQ(calls.load(), 0U);
  }
  CHECK(reaches(calls, 1));
}

}  // namespace
