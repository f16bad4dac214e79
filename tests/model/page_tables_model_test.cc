// SPDX-License-Identifier: MIT
// Random mappings of four CPUs against an array that says what each page should show. Every CPU
// looks at any time, so what it remembers is always old enough to be wrong.
#include <new>

#include "arch/x86/page_tables.h"
#include "map/table_mapper.h"
#include "support/simulated_mmu.h"

namespace {

using harness::Mmu;
using quarry::kNoPfn;
using quarry::kPageBytes;
using quarry::MapAccess;
using quarry::Pfn;
using quarry::Random;
using quarry::VirtAddr;

constexpr unsigned kCpus = 4;
constexpr unsigned kOperations = 1'200'000;

template <class Format>
class MapModel {
 public:
  static constexpr unsigned kLeafPages = Mmu<Format>::kLeafPages;
  static constexpr unsigned kPages = 6 * kLeafPages;

  MapModel() {
    tlb_.init(mmu_);
    tables_.init(mmu_.page_table_root(), mmu_.direct_map_base(), mmu_);
    mapper_.init(mmu_, tables_, tlb_, mmu_);
  }

  void run() {
    for (unsigned i = 0; i != harness::operations(kOperations); ++i) {
      step();
      if (i % 10000 == 0) check_all();
    }
    unmap(0, kPages);
    check_all();
    mapper_.trim();
    CHECK_EQ(mmu_.taken(), 0U);
    // All that is worth something has happened, often.
    CHECK(maps_ > harness::operations(kOperations / 120));
    CHECK(trims_ > harness::operations(kOperations / 120));
    CHECK(refused_ > harness::operations(kOperations / 1200));
    CHECK(mmu_.full_flushes > harness::operations(kOperations / 120));
  }

 private:
  struct Shown {
    Pfn frame = kNoPfn;
    bool writable = false;
  };

  void step() {
    mmu_.on_cpu(random_.below(kCpus));
    const unsigned kind = random_.below(100);
    if (kind < 90) return look();
    const unsigned at = random_.below(kPages);
    const unsigned most = random_.one_in(6) ? 3 * kLeafPages : 40;
    unsigned count = random_.between(1, most);
    if (count > kPages - at) count = kPages - at;
    if (kind < 95) {
      map(at, count);
    } else if (kind < 99) {
      unmap(at, count);
    } else {
      if (random_.one_in(3)) unmap(0, kPages);
      mapper_.trim();
      ++trims_;
    }
  }

  void look() {
    const unsigned at = random_.below(kPages);
    const VirtAddr address = page(at) + random_.below(kPageBytes);
    const Shown& shown = shown_[at];
    const unsigned cpu = random_.below(kCpus);
    if (random_.one_in(2)) {
      CHECK_EQ(mmu_.read(cpu, address), shown.frame);
    } else {
      CHECK_EQ(mmu_.write(cpu, address), shown.writable ? shown.frame : kNoPfn);
    }
  }

  // As many of `count` pages as are free.
  void map(unsigned at, unsigned count) {
    unsigned free = 0;
    while (free != count && shown_[at + free].frame == kNoPfn) ++free;
    if (free == 0) return;
    const Pfn first{random_.between(1000, 90000)};
    const bool writable = random_.one_in(2);
    mmu_.limit_frames(random_.one_in(3) ? random_.below(3) : ~0U);
    const bool done =
        mapper_.map(page(at), first, free, writable ? MapAccess::kReadWrite : MapAccess::kReadOnly);
    for (unsigned i = 0; done && i != free; ++i) shown_[at + i] = {first + i, writable};
    ++(done ? maps_ : refused_);
  }

  void unmap(unsigned at, unsigned count) {
    mapper_.unmap(page(at), count);
    for (unsigned i = at; i != at + count; ++i) shown_[i] = {};
  }

  void check_all() {
    quarry::FixedText<256> problem;
    if (!tables_.validate(problem)) harness::fail(__FILE__, __LINE__, problem.c_str());
    CHECK_EQ(mmu_.taken(), tables_.table_count());
    for (unsigned i = 0; i != kPages; ++i) {
      for (unsigned cpu = 0; cpu != kCpus; ++cpu) {
        CHECK_EQ(mmu_.read(cpu, page(i)), shown_[i].frame);
      }
    }
  }

  VirtAddr page(unsigned n) const { return mmu_.vmalloc_start() + size_t{n} * kPageBytes; }

  Random random_{harness::seed()};
  Mmu<Format> mmu_{kCpus};
  quarry::Tlb<typename Mmu<Format>::Cpu> tlb_;
  quarry::PageTables<Format> tables_;
  quarry::TableMapper<typename Mmu<Format>::Cpu> mapper_;
  Shown shown_[kPages];
  unsigned maps_ = 0;
  unsigned refused_ = 0;
  unsigned trims_ = 0;
};

// Too large for a stack.
template <class Format>
void run_model() {
  alignas(MapModel<Format>) static unsigned char memory[sizeof(MapModel<Format>)];
  auto* model = new (memory) MapModel<Format>;
  model->run();
  model->~MapModel();
}

QUARRY_TEST(PageTablesModel, two_levels) { run_model<quarry::X86TwoLevelTables>(); }
QUARRY_TEST(PageTablesModel, four_levels) { run_model<quarry::X86FourLevelTables>(); }

}  // namespace
