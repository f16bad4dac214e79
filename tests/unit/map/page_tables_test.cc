// SPDX-License-Identifier: MIT
// Page tables of both formats, as the CPUs of a simulated machine see them.
#include "map/page_tables.h"

#include "arch/x86/page_tables.h"
#include "map/table_mapper.h"
#include "support/simulated_mmu.h"

namespace {

using harness::Mmu;
using quarry::kNoPfn;
using quarry::kPageBytes;
using quarry::MapAccess;
using quarry::Pfn;
using quarry::VirtAddr;

// A machine with a mapper. When it goes, all tables have to be back.
template <class Format>
struct Machine {
  using Tables = quarry::PageTables<Format>;
  static constexpr unsigned kLeafPages = Mmu<Format>::kLeafPages;

  explicit Machine(unsigned cpus = 2) : mmu(cpus) {
    tlb.init(mmu);
    tables.init(mmu.page_table_root(), mmu.direct_map_base(), mmu);
    mapper.init(mmu, tables, tlb, mmu);
  }
  ~Machine() {
    tables.release();
    mapper.release_all();
    sound();
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The n-th page of the vmalloc range.
  VirtAddr page(size_t n) const { return mmu.vmalloc_start() + n * kPageBytes; }
  bool map(size_t at, uint32_t frame, size_t count = 1, MapAccess access = MapAccess::kReadWrite) {
    return mapper.map(page(at), Pfn{frame}, count, access);
  }
  void unmap(size_t at, size_t count = 1) { mapper.unmap(page(at), count); }
  void sound() {
    quarry::FixedText<256> problem;
    if (!tables.validate(problem)) harness::fail(__FILE__, __LINE__, problem.c_str());
    CHECK_EQ(mmu.taken(), tables.table_count());
  }

  Mmu<Format> mmu;
  quarry::Tlb<typename Mmu<Format>::Cpu> tlb;
  Tables tables;
  quarry::TableMapper<typename Mmu<Format>::Cpu> mapper;
};

// Each test is a template over the format, and runs for both.
#define FOR_BOTH_FORMATS(name)          \
  QUARRY_TEST(PageTables, name) {       \
    name<quarry::X86TwoLevelTables>();  \
    name<quarry::X86FourLevelTables>(); \
  }

template <class Format>
void show_scattered_frames_in_a_row() {
  Machine<Format> m;
  REQUIRE(m.map(3, 700, 2));
  REQUIRE(m.map(5, 90000));
  REQUIRE(m.map(6, 701));  // a frame may be seen twice
  for (unsigned cpu = 0; cpu != 2; ++cpu) {
    CHECK_EQ(m.mmu.write(cpu, m.page(3)), Pfn{700});
    CHECK_EQ(m.mmu.write(cpu, m.page(4)), Pfn{701});
    CHECK_EQ(m.mmu.read(cpu, m.page(5) + (kPageBytes - 1)), Pfn{90000});
    CHECK_EQ(m.mmu.read(cpu, m.page(6)), Pfn{701});
    CHECK_EQ(m.mmu.read(cpu, m.page(2)), kNoPfn);
    CHECK_EQ(m.mmu.read(cpu, m.page(7)), kNoPfn);
  }
  m.unmap(3, 4);
}
FOR_BOTH_FORMATS(show_scattered_frames_in_a_row)

template <class Format>
void show_the_highest_frame() {
  Machine<Format> m;
  const uint32_t most = Format::kLevels == 2 ? 0xf'ffff : 0xffff'fffe;
  REQUIRE(m.map(0, most));
  CHECK_EQ(m.mmu.read(0, m.page(0)), Pfn{most});
  m.unmap(0);
}
FOR_BOTH_FORMATS(show_the_highest_frame)

template <class Format>
void go_on_in_the_next_table() {
  Machine<Format> m;
  const size_t count = 2 * size_t{m.kLeafPages} + 3;
  REQUIRE(m.map(m.kLeafPages - 1, 5000, count));
  CHECK_EQ(m.tables.table_count(), Format::kLevels - 2 + 4U);
  for (size_t i = 0; i != count; ++i) {
    REQUIRE_EQ(m.mmu.read(1, m.page(m.kLeafPages - 1 + i)), Pfn{5000 + i});
  }
  CHECK_EQ(m.mmu.read(1, m.page(m.kLeafPages - 1 + count)), kNoPfn);
  m.unmap(m.kLeafPages - 1, count);
  for (size_t i = 0; i != count; ++i) {
    REQUIRE_EQ(m.mmu.read(1, m.page(m.kLeafPages - 1 + i)), kNoPfn);
  }
}
FOR_BOTH_FORMATS(go_on_in_the_next_table)

template <class Format>
void fault_where_writing_is_forbidden() {
  Machine<Format> m;
  REQUIRE(m.map(0, 700, 2, MapAccess::kReadOnly));
  CHECK_EQ(m.mmu.read(0, m.page(1)), Pfn{701});
  CHECK_EQ(m.mmu.write(0, m.page(1)), kNoPfn);
  CHECK_EQ(m.mmu.write(1, m.page(0)), kNoPfn);
  m.unmap(0, 2);
}
FOR_BOTH_FORMATS(fault_where_writing_is_forbidden)

// Without a flush the simulated CPUs really see what was: that is what makes these tests worth
// something.
template <class Format>
void are_remembered_by_cpus_until_a_flush() {
  Machine<Format> m;
  REQUIRE_EQ(m.tables.fill(m.page(8), Pfn{700}, 1, MapAccess::kReadOnly), 1U);
  CHECK_EQ(m.mmu.read(0, m.page(8)), Pfn{700});
  CHECK_EQ(m.mmu.read(1, m.page(8)), Pfn{700});
  m.tables.clear(m.page(8), 1);
  CHECK_EQ(m.mmu.read(1, m.page(8)), Pfn{700});
  REQUIRE_EQ(m.tables.fill(m.page(8), Pfn{900}, 1, MapAccess::kReadWrite), 1U);
  CHECK_EQ(m.mmu.read(0, m.page(8)), Pfn{700});
  CHECK_EQ(m.mmu.read(1, m.page(8)), Pfn{700});
  m.tlb.flush(m.page(8), 1);
  CHECK_EQ(m.mmu.write(0, m.page(8)), Pfn{900});
  CHECK_EQ(m.mmu.write(1, m.page(8)), Pfn{900});
  m.unmap(8);
}
FOR_BOTH_FORMATS(are_remembered_by_cpus_until_a_flush)

template <class Format>
void are_gone_on_all_cpus_after_unmap() {
  for (const size_t count : {1U, 33U, 34U, 700U}) {
    Machine<Format> m(4);
    REQUIRE(m.map(1, 3000, count));
    for (unsigned cpu = 0; cpu != 4; ++cpu) {
      for (size_t i = 0; i != count; ++i) CHECK_EQ(m.mmu.read(cpu, m.page(1 + i)), Pfn{3000 + i});
    }
    m.mmu.on_cpu(2);
    m.unmap(1, count);
    CHECK_EQ(m.mmu.current_cpu(), quarry::CpuId{2});
    for (unsigned cpu = 0; cpu != 4; ++cpu) {
      for (size_t i = 0; i != count; ++i) REQUIRE_EQ(m.mmu.read(cpu, m.page(1 + i)), kNoPfn);
    }
  }
}
FOR_BOTH_FORMATS(are_gone_on_all_cpus_after_unmap)

template <class Format>
void are_flushed_by_one_call_for_each_unmap() {
  Machine<Format> m(3);
  REQUIRE(m.map(0, 700, 33));
  REQUIRE(m.map(100, 700, 34));
  CHECK_EQ(m.mmu.calls, 0U);
  m.unmap(0, 33);
  CHECK_EQ(m.mmu.calls, 1U);
  CHECK_EQ(m.mmu.page_flushes, 3 * 33U);
  CHECK_EQ(m.mmu.full_flushes, 0U);
  m.mmu.forget_counts();
  m.unmap(100, 34);
  CHECK_EQ(m.mmu.calls, 1U);
  CHECK_EQ(m.mmu.page_flushes, 0U);
  CHECK_EQ(m.mmu.full_flushes, 3U);
}
FOR_BOTH_FORMATS(are_flushed_by_one_call_for_each_unmap)

template <class Format>
void need_no_call_on_one_cpu() {
  Machine<Format> m(1);
  REQUIRE(m.map(0, 700, 3));
  CHECK_EQ(m.mmu.read(0, m.page(2)), Pfn{702});
  m.unmap(0, 3);
  CHECK_EQ(m.mmu.calls, 0U);
  CHECK_EQ(m.mmu.page_flushes, 3U);
  CHECK_EQ(m.mmu.read(0, m.page(2)), kNoPfn);
}
FOR_BOTH_FORMATS(need_no_call_on_one_cpu)

template <class Format>
void undo_what_there_is_no_memory_for() {
  Machine<Format> m;
  REQUIRE(m.map(0, 600));
  const size_t before = m.tables.table_count();
  const size_t count = 3 * size_t{m.kLeafPages};
  for (unsigned n = 0;; ++n) {
    REQUIRE(n != 16);
    m.mmu.limit_frames(n);
    if (m.map(10, 5000, count)) break;
    CHECK_EQ(m.tables.table_count(), before);
    m.sound();
    for (size_t i = 0; i != count; ++i) REQUIRE_EQ(m.mmu.read(1, m.page(10 + i)), kNoPfn);
    CHECK_EQ(m.mmu.read(1, m.page(0)), Pfn{600});
  }
  CHECK_EQ(m.tables.table_count(), before + 3);
  m.unmap(0);
  m.unmap(10, count);
}
FOR_BOTH_FORMATS(undo_what_there_is_no_memory_for)

template <class Format>
void cannot_begin_without_memory() {
  Machine<Format> m;
  for (unsigned n = 0; n != Format::kLevels - 1; ++n) {
    m.mmu.limit_frames(n);
    CHECK(!m.map(7, 500, 3));
    CHECK_EQ(m.tables.table_count(), 0U);
    m.sound();
  }
}
FOR_BOTH_FORMATS(cannot_begin_without_memory)

// While one CPU waits for a frame, another makes the table, or takes it off again.
template <class Format>
void may_be_made_by_another_cpu_meanwhile() {
  Machine<Format> m;
  m.mmu.on_take([](void* machine) { CHECK(static_cast<Machine<Format>*>(machine)->map(1, 900)); },
                &m);
  REQUIRE(m.map(0, 700));
  CHECK_EQ(m.tables.table_count(), Format::kLevels - 1);
  m.sound();
  CHECK_EQ(m.mmu.read(1, m.page(0)), Pfn{700});
  CHECK_EQ(m.mmu.read(1, m.page(1)), Pfn{900});
  m.unmap(0, 2);
}
FOR_BOTH_FORMATS(may_be_made_by_another_cpu_meanwhile)

template <class Format>
void may_be_trimmed_by_another_cpu_meanwhile() {
  Machine<Format> m;
  REQUIRE(m.map(0, 700));
  m.unmap(0);
  // The first table is there but empty, the second one is needed.
  m.mmu.on_take([](void* machine) { static_cast<Machine<Format>*>(machine)->mapper.trim(); }, &m);
  REQUIRE(m.map(m.kLeafPages, 800));
  CHECK_EQ(m.tables.table_count(), Format::kLevels - 1);
  CHECK_EQ(m.mmu.read(1, m.page(m.kLeafPages)), Pfn{800});
  m.unmap(m.kLeafPages);
}
FOR_BOTH_FORMATS(may_be_trimmed_by_another_cpu_meanwhile)

template <class Format>
void stay_until_they_are_trimmed() {
  Machine<Format> m;
  REQUIRE(m.map(0, 700, 2 * size_t{m.kLeafPages}));
  const size_t all = m.tables.table_count();
  CHECK_EQ(m.mmu.read(1, m.page(m.kLeafPages)), Pfn{700 + m.kLeafPages});
  m.unmap(m.kLeafPages, m.kLeafPages);
  CHECK_EQ(m.tables.table_count(), all);
  m.mapper.trim();
  CHECK_EQ(m.tables.table_count(), all - 1);
  CHECK_EQ(m.mmu.read(1, m.page(m.kLeafPages - 1)), Pfn{700 + m.kLeafPages - 1});
  m.unmap(0, m.kLeafPages);
  m.mapper.trim();
  CHECK_EQ(m.tables.table_count(), 0U);
  CHECK_EQ(m.mmu.taken(), 0U);
}
FOR_BOTH_FORMATS(stay_until_they_are_trimmed)

// CPUs remember tables too: a frame that was one may be something else only after a flush.
template <class Format>
void are_forgotten_before_their_frames_are_used_again() {
  Machine<Format> m;
  REQUIRE(m.map(0, 700, 2));
  CHECK_EQ(m.mmu.read(1, m.page(0)), Pfn{700});
  m.unmap(0, 2);
  CHECK_EQ(m.mmu.read(1, m.page(1)), kNoPfn);  // and CPU 1 knows the table
  m.mapper.trim();
  REQUIRE(m.map(m.kLeafPages, 800));  // in the frames that came back
  CHECK_EQ(m.mmu.read(1, m.page(1)), kNoPfn);
  REQUIRE(m.map(1, 900));
  CHECK_EQ(m.mmu.read(1, m.page(1)), Pfn{900});
  CHECK_EQ(m.mmu.read(1, m.page(m.kLeafPages)), Pfn{800});
  m.unmap(m.kLeafPages);
  m.unmap(1);
}
FOR_BOTH_FORMATS(are_forgotten_before_their_frames_are_used_again)

template <class Format>
void can_be_trimmed_by_hundreds() {
  Machine<Format> m;
  for (unsigned table = 0; table != 16; ++table) REQUIRE(m.map(table * m.kLeafPages, 500 + table));
  for (unsigned table = 0; table != 16; ++table) {
    if (table != 9) m.unmap(table * m.kLeafPages);
  }
  // Fewer at a time than there are.
  Pfn detached[4];
  size_t found = 0;
  while (const size_t more = m.tables.detach_empty(m.page(0), 16 * m.kLeafPages, detached)) {
    found += more;
    m.tlb.flush(m.page(0), 16 * m.kLeafPages);
    for (size_t i = 0; i != more; ++i) m.mmu.give_back(detached[i]);
  }
  CHECK_EQ(found, 15U);
  CHECK_EQ(m.mmu.read(0, m.page(9 * m.kLeafPages)), Pfn{509});
  m.unmap(9 * m.kLeafPages);
}
FOR_BOTH_FORMATS(can_be_trimmed_by_hundreds)

// A table that lies there already is the platform's, not the core's.
template <class Format>
void of_the_platform_are_used_and_stay() {
  Machine<Format> m;
  const Pfn table = m.mmu.take();
  const unsigned top = Format::kLevels - 1;
  const auto index = (m.page(0).value() / kPageBytes) >> top * Format::kIndexBits;
  auto entry = Format::Entry::make_table(table);
  entry.bits &= ~entry.kOwned;
  m.mmu.table(Pfn{1})[index % m.kLeafPages].write(entry);
  REQUIRE(m.map(0, 700));
  CHECK_EQ(m.tables.table_count(), Format::kLevels - 2);
  CHECK_EQ(m.mmu.read(0, m.page(0)), Pfn{700});
  m.unmap(0);
  m.mapper.release_all();
  CHECK_EQ(m.tables.table_count(), 0U);
  CHECK_EQ(m.mmu.taken(), 1U);
  m.mmu.table(Pfn{1})[index % m.kLeafPages].write({});
  m.mmu.give_back(table);
}
FOR_BOTH_FORMATS(of_the_platform_are_used_and_stay)

template <class Format>
void that_are_kept_are_not_trimmed() {
  Machine<Format> m;
  REQUIRE(m.tables.keep(m.page(m.kLeafPages - 1), 2));
  CHECK_EQ(m.tables.table_count(), Format::kLevels - 2 + 2U);
  REQUIRE(m.map(2 * size_t{m.kLeafPages}, 700));
  m.unmap(2 * size_t{m.kLeafPages});
  m.mapper.trim();
  CHECK_EQ(m.tables.table_count(), Format::kLevels - 2 + 2U);
  CHECK(m.tables.find(m.page(0)) != nullptr);
  CHECK(m.tables.find(m.page(2 * size_t{m.kLeafPages})) == nullptr);
}
FOR_BOTH_FORMATS(that_are_kept_are_not_trimmed)

}  // namespace
