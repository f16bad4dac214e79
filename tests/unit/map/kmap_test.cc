// SPDX-License-Identifier: MIT
// Addresses for frames above the direct map, as the CPUs of a simulated machine see them.
#include "map/kmap.h"

#include "arch/x86/page_tables.h"
#include "map/table_mapper.h"
#include "support/simulated_mmu.h"

namespace {

using harness::Mmu;
using quarry::kNoPfn;
using quarry::kPageBytes;
using quarry::Page;
using quarry::Pfn;
using quarry::VirtAddr;

constexpr Pfn kDirectEnd{256};
constexpr Pfn kEnd{4096};
Page descriptors[kEnd.value()];

// A machine whose frames from kDirectEnd on are not directly mapped. When it goes, every slot has
// to be free, and all tables have to be back.
template <class Format>
struct Machine {
  using Kmap = quarry::Kmap<typename Mmu<Format>::Cpu>;

  explicit Machine(unsigned cpus = 2) : mmu(cpus) {
    map.boot(descriptors, nullptr, kEnd, mmu.direct_map_base(), kDirectEnd);
    reporter.init(mmu);
    tlb.init(mmu);
    tables.init(mmu.page_table_root(), mmu.direct_map_base(), mmu);
    mapper.init(mmu, tables, tlb, mmu);
    kmap.init(map, reporter);
    CHECK(kmap.boot(mmu, tables, tlb));
  }
  ~Machine() {
    sound();
    CHECK(mmu.quiet());
    kmap.shutdown();
    mapper.release_all();
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const Page* page(uint32_t n) const { return map.page(kDirectEnd + n); }
  // The n-th page above the direct map.
  VirtAddr use(uint32_t n) { return VirtAddr{kmap.map(page(n), 0)}; }
  void drop(uint32_t n) { kmap.unmap(page(n), 0); }
  VirtAddr use_local(uint32_t n) { return VirtAddr{kmap.map_local(page(n))}; }
  void drop_local(VirtAddr at) { kmap.unmap_local(at.as(), 0); }
  Pfn frame(uint32_t n) const { return kDirectEnd + n; }
  void sound() {
    quarry::FixedText<256> problem;
    if (!kmap.validate(problem) || !tables.validate(problem)) {
      harness::fail(__FILE__, __LINE__, problem.c_str());
    }
  }

  Mmu<Format> mmu;
  quarry::PageMap map;
  quarry::Reporter reporter;
  quarry::Tlb<typename Mmu<Format>::Cpu> tlb;
  quarry::PageTables<Format> tables;
  quarry::TableMapper<typename Mmu<Format>::Cpu> mapper;
  Kmap kmap;
};

// Each test is a template over the format of the page tables, and runs for both.
#define FOR_BOTH_FORMATS(name)          \
  QUARRY_TEST(Kmap, name) {             \
    name<quarry::X86TwoLevelTables>();  \
    name<quarry::X86FourLevelTables>(); \
  }

template <class Format>
void leaves_directly_mapped_pages_where_they_are() {
  Machine<Format> m;
  const Page* page = m.map.page(Pfn{200});
  void* const address = m.map.address(page);
  CHECK_EQ(m.kmap.map(page, 0), address);
  CHECK_EQ(m.kmap.map_local(page), address);
  CHECK_EQ(m.kmap.address(page), address);
  CHECK_EQ(m.kmap.page_of(address), page);
  m.kmap.unmap_local(address, 0);
  m.kmap.unmap(page, 0);
}
FOR_BOTH_FORMATS(leaves_directly_mapped_pages_where_they_are)

template <class Format>
void gives_all_users_of_a_page_one_address() {
  Machine<Format> m;
  CHECK(m.kmap.address(m.page(5)) == nullptr);
  const VirtAddr at = m.use(5);
  CHECK_EQ(m.use(5), at);
  const VirtAddr other = m.use(6);
  CHECK(other != at);
  for (unsigned cpu = 0; cpu != 2; ++cpu) {
    CHECK_EQ(m.mmu.write(cpu, at), m.frame(5));
    CHECK_EQ(m.mmu.write(cpu, other + 17), m.frame(6));
  }
  CHECK_EQ(m.kmap.address(m.page(5)), at.as());
  CHECK_EQ(m.kmap.page_of((at + 4095).template as<>()), m.page(5));
  m.drop(6);
  m.drop(5);
  CHECK_EQ(m.kmap.address(m.page(5)), at.as());
  m.drop(5);
  CHECK(m.kmap.address(m.page(5)) == nullptr);
}
FOR_BOTH_FORMATS(gives_all_users_of_a_page_one_address)

template <class Format>
void finds_a_page_again_that_nobody_used_meanwhile() {
  Machine<Format> m;
  const VirtAddr at = m.use(5);
  m.drop(5);
  CHECK_EQ(m.use(5), at);
  m.drop(5);
  m.kmap.flush_unused();
  CHECK_EQ(m.mmu.read(0, at), kNoPfn);
  CHECK(m.use(5) != at);  // it is another slot's turn
  m.drop(5);
}
FOR_BOTH_FORMATS(finds_a_page_again_that_nobody_used_meanwhile)

template <class Format>
void shows_nothing_after_its_end() {
  Machine<Format> m;
  const VirtAddr at = m.use(5);
  CHECK_EQ(m.mmu.read(1, at), m.frame(5));  // and CPU 1 caches it
  m.drop(5);
  m.kmap.shutdown();
  for (unsigned cpu = 0; cpu != 2; ++cpu) CHECK_EQ(m.mmu.read(cpu, at), kNoPfn);
}
FOR_BOTH_FORMATS(shows_nothing_after_its_end)

template <class Format>
void flushes_once_a_turn() {
  Machine<Format> m;
  constexpr unsigned kSlots = Machine<Format>::Kmap::kSlots;
  const VirtAddr kept = m.use(kSlots + 50);
  const VirtAddr first = m.use(0);
  CHECK_EQ(m.mmu.read(1, first), m.frame(0));
  m.drop(0);
  CHECK_EQ(m.mmu.read(1, first), m.frame(0));  // as long as nobody else has the slot
  for (uint32_t n = 1; n != kSlots - 2; ++n) {
    m.use(n);
    m.drop(n);
  }
  CHECK_EQ(m.mmu.calls, 0U);
  m.sound();
  // The turn begins anew.
  m.use(2000);
  CHECK_EQ(m.mmu.calls, 1U);
  CHECK_EQ(m.mmu.read(1, first), kNoPfn);
  m.sound();
  // And what was kept stayed. Its slot is passed over.
  CHECK_EQ(m.mmu.read(1, kept), m.frame(kSlots + 50));
  VirtAddr again = m.use(2001);
  CHECK_EQ(again, first);
  CHECK_EQ(m.mmu.read(1, first), m.frame(2001));
  CHECK_EQ(m.mmu.read(0, first), m.frame(2001));
  CHECK_EQ(m.mmu.calls, 1U);
  m.drop(2000);
  m.drop(2001);
  m.drop(kSlots + 50);
}
FOR_BOTH_FORMATS(flushes_once_a_turn)

template <class Format>
void waits_for_a_slot() {
  Machine<Format> m;
  constexpr unsigned kSlots = Machine<Format>::Kmap::kSlots;
  for (uint32_t n = 0; n != kSlots; ++n) REQUIRE(m.use(n) != VirtAddr{});
  CHECK(m.mmu.quiet());
  CHECK(m.use(kSlots) == VirtAddr{});  // nobody else could run
  CHECK(m.mmu.reported("kmap: all slots are in use"));
  CHECK_EQ(m.use(7), VirtAddr{m.kmap.address(m.page(7))});  // needs none
  m.drop(7);
  struct Waiter {
    Machine<Format>& machine;
    unsigned turns;
  } waiter{m, 0};
  m.mmu.on_wait(
      [](void* context) {
        auto& self = *static_cast<Waiter*>(context);
        if (++self.turns == 3) self.machine.drop(77);
        return true;
      },
      &waiter);
  const VirtAddr freed{m.kmap.address(m.page(77))};
  CHECK_EQ(m.mmu.read(1, freed), m.frame(77));
  CHECK_EQ(m.use(kSlots), freed);
  CHECK_EQ(waiter.turns, 3U);
  CHECK_EQ(m.mmu.read(1, freed), m.frame(kSlots));
  for (uint32_t n = 0; n != kSlots + 1; ++n) {
    if (n != 77) m.drop(n);
  }
}
FOR_BOTH_FORMATS(waits_for_a_slot)

template <class Format>
void is_refused_where_the_thread_cannot_wait() {
  Machine<Format> m;
  constexpr unsigned kSlots = Machine<Format>::Kmap::kSlots;
  for (uint32_t n = 0; n != kSlots; ++n) m.use(n);
  m.mmu.on_wait([](void*) { return true; }, nullptr);
  {
    const quarry::ContextGuard atomic(&quarry_context::atomic_depth);
    CHECK(m.kmap.map(m.page(kSlots), 1) == nullptr);
  }
  CHECK(m.mmu.reported("sleeping function called from invalid context"));
  for (uint32_t n = 0; n != kSlots; ++n) m.drop(n);
}
FOR_BOTH_FORMATS(is_refused_where_the_thread_cannot_wait)

template <class Format>
void reports_an_unmap_too_many() {
  Machine<Format> m;
  m.drop(3);
  CHECK(m.mmu.reported("kunmap of a page that is not mapped"));
  m.use(3);
  m.drop(3);
  m.drop(3);
  CHECK(m.mmu.reported("kunmap of a page that is not mapped"));
  m.sound();
}
FOR_BOTH_FORMATS(reports_an_unmap_too_many)

template <class Format>
void gives_each_cpu_local_slots_like_a_stack() {
  Machine<Format> m(3);
  constexpr unsigned kLocalSlots = Machine<Format>::Kmap::kLocalSlots;
  VirtAddr at[2][kLocalSlots];
  for (unsigned n = 0; n != kLocalSlots; ++n) {
    for (unsigned cpu = 0; cpu != 2; ++cpu) {
      m.mmu.on_cpu(cpu);
      at[cpu][n] = m.use_local(100 * cpu + n);
      CHECK_EQ(m.kmap.page_of(at[cpu][n].template as<>()), m.page(100 * cpu + n));
    }
  }
  m.mmu.on_cpu(2);
  const VirtAddr third = m.use_local(1);  // one page may have any number
  CHECK_EQ(m.mmu.write(2, third), m.frame(1));
  m.drop_local(third);
  for (unsigned n = kLocalSlots; n-- != 0;) {
    for (unsigned cpu = 0; cpu != 2; ++cpu) {
      m.mmu.on_cpu(cpu);
      CHECK_EQ(m.mmu.write(cpu, at[cpu][n]), m.frame(100 * cpu + n));
      m.drop_local(at[cpu][n] + 123);
      CHECK_EQ(m.mmu.read(cpu, at[cpu][n]), kNoPfn);
    }
  }
  CHECK_EQ(m.mmu.calls, 0U);
}
FOR_BOTH_FORMATS(gives_each_cpu_local_slots_like_a_stack)

template <class Format>
void shows_the_next_page_in_the_same_local_slot() {
  Machine<Format> m;
  const VirtAddr at = m.use_local(1);
  CHECK_EQ(m.mmu.read(0, at), m.frame(1));
  m.drop_local(at);
  CHECK_EQ(m.use_local(2), at);
  CHECK_EQ(m.mmu.read(0, at), m.frame(2));
  m.drop_local(at);
}
FOR_BOTH_FORMATS(shows_the_next_page_in_the_same_local_slot)

template <class Format>
void reports_local_slots_out_of_order() {
  Machine<Format> m;
  const VirtAddr first = m.use_local(1);
  const VirtAddr second = m.use_local(2);
  m.drop_local(first);
  CHECK(m.mmu.reported("kunmap_local of a page that was not the last"));
  CHECK_EQ(m.mmu.read(0, first), m.frame(1));
  m.mmu.on_cpu(1);
  m.drop_local(second);
  CHECK(m.mmu.reported("kunmap_local of a page that was not the last"));
  m.mmu.on_cpu(0);
  m.drop_local(second);
  m.drop_local(first);
  CHECK(m.mmu.quiet());
  m.drop_local(first);
  CHECK(m.mmu.reported("kunmap_local of a page that was not the last"));
}
FOR_BOTH_FORMATS(reports_local_slots_out_of_order)

template <class Format>
void needs_addresses_and_memory_for_tables() {
  Mmu<Format> mmu(2);
  quarry::Tlb<typename Mmu<Format>::Cpu> tlb;
  quarry::PageTables<Format> tables;
  quarry::TableMapper<typename Mmu<Format>::Cpu> mapper;
  tlb.init(mmu);
  tables.init(mmu.page_table_root(), mmu.direct_map_base(), mmu);
  mapper.init(mmu, tables, tlb, mmu);
  for (unsigned n = 0; n != Format::kLevels; ++n) {
    typename Machine<Format>::Kmap kmap;
    mmu.limit_frames(n);
    CHECK(!kmap.boot(mmu, tables, tlb));
    mapper.release_all();
    CHECK_EQ(mmu.taken(), 0U);
  }
}
FOR_BOTH_FORMATS(needs_addresses_and_memory_for_tables)

}  // namespace
