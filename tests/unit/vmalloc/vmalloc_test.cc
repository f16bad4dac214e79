// SPDX-License-Identifier: MIT
#include "machine.h"
#include "sync/execution_context.h"

namespace {

using harness::Machine;
using quarry::ContextGuard;
using quarry::Gfp;
using quarry::kMiB;
using quarry::kNoNode;
using quarry::kPageBytes;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

char* bytes_of(void* address) { return static_cast<char*>(address); }
uintptr_t number(const void* address) { return reinterpret_cast<uintptr_t>(address); }

QUARRY_TEST(Vmalloc, areas_start_low_and_end_with_a_guard) {
  Machine m;
  void* first = m->vmalloc(1);
  void* second = m->vmalloc(3 * kPageBytes + 1);
  void* third = m->vmalloc(kPageBytes);
  CHECK_EQ(number(first), m.platform.vmalloc_start().value());
  CHECK_EQ(number(second), number(first) + 2 * kPageBytes);
  CHECK_EQ(number(third), number(second) + 5 * kPageBytes);
  CHECK_EQ(m->vmalloc_page_count(), 6U);
  CHECK(m->is_vmalloc_addr(third));
  CHECK(m->is_vmalloc_addr(bytes_of(third) + kPageBytes));  // in the range, mapped or not
  CHECK(!m->is_vmalloc_addr(&m));
  m->vfree(second);
  m->vm_unmap_aliases();
  CHECK(m->vmalloc(5 * kPageBytes) == bytes_of(third) + 2 * kPageBytes);
  CHECK(m->vmalloc(2 * kPageBytes) == second);
  m->vfree(second);
  m->vfree(bytes_of(third) + 2 * kPageBytes);
  m->vfree(first);
  m->vfree(third);
  m->vfree(nullptr);
}

// How many areas wait for the next one of their size.
size_t unpurged(Machine& m) {
  quarry::AreaInfo info;
  size_t count = 0;
  for (uintptr_t from = 0; m.core().vmalloc.next_area(from, info); from = info.start + info.bytes) {
    count += info.unpurged ? 1 : 0;
  }
  return count;
}

QUARRY_TEST(Vmalloc, the_next_area_of_a_size_is_where_the_last_one_was) {
  Machine m;
  void* first = m->vmalloc(3 * kPageBytes);
  void* second = m->vmalloc(3 * kPageBytes);
  void* third = m->vmalloc(3 * kPageBytes);
  m->vfree(third);
  m->vfree(first);
  m->vfree(second);
  CHECK_EQ(unpurged(m), 3U);
  CHECK(m.sound());
  // Nothing is there meanwhile, and no other size comes there.
  CHECK(m->vmalloc_to_page(second) == nullptr);
  m->vfree(second);
  CHECK(m.reported("Trying to vfree() nonexistent vm area"));
  void* other = m->vmalloc(2 * kPageBytes);
  CHECK_EQ(number(other), number(third) + 4 * kPageBytes);
  // Any kind of area of that size.
  CHECK(m->vzalloc(3 * kPageBytes - 1) == second);
  Page* page = m->alloc_pages(gfp::kKernel, Order(0));
  Page* const pages[] = {page, page, page};
  CHECK(m->vmap(pages) == first);
  void* aligned = m->reserve_area(3 * kPageBytes, 64 * kPageBytes);
  CHECK(aligned != third);
  CHECK(m->reserve_area(3 * kPageBytes, 1) == third);
  CHECK(m.sound());
  m->vfree(second);
  m->vunmap(first);
  m->free_area(third);
  m->vfree(other);
  m->free_pages(page, Order(0));
  m->free_area(aligned);
}

QUARRY_TEST(Vmalloc, large_areas_are_not_kept) {
  Machine m;
  void* most = m->vmalloc(256 * kPageBytes);
  void* larger = m->vmalloc(257 * kPageBytes);
  m->vfree(larger);
  m->vfree(most);
  CHECK_EQ(unpurged(m), 1U);
  CHECK(m->vmalloc(257 * kPageBytes) == larger);
  CHECK(m->vmalloc(256 * kPageBytes) == most);
  m->vfree(larger);
  m->vfree(most);
}

QUARRY_TEST(Vmalloc, what_is_kept_has_a_bound) {
  Machine m;
  constexpr unsigned kAreas = quarry::AreaMap::kMostUnpurged + 2;
  void* areas[kAreas];
  for (unsigned i = 0; i != kAreas; ++i) areas[i] = m->reserve_area((i % 5 + 1) * kPageBytes, 1);
  for (unsigned i = 0; i != kAreas; ++i) {
    m->free_area(areas[i]);
    CHECK(m.sound());
    // Full pools are emptied; the area that comes then is not kept either.
    const unsigned kept = i < kAreas - 2 ? i + 1 : i - (kAreas - 2);
    CHECK_EQ(unpurged(m), kept);
  }
  m->vm_unmap_aliases();
  CHECK_EQ(unpurged(m), 0U);
  void* whole = m->reserve_area(3 * kAreas * kPageBytes, 1);
  CHECK(whole == areas[0]);
  m->free_area(whole);
}

QUARRY_TEST(Vmalloc, to_page_knows_each_page_and_no_more) {
  Machine m;
  char* area = bytes_of(m->vmalloc(20 * kPageBytes));
  for (size_t i = 0; i != 20; ++i) area[i * kPageBytes + i] = static_cast<char>('a' + i);
  for (size_t i = 0; i != 20; ++i) {
    Page* page = m->vmalloc_to_page(area + i * kPageBytes + 77);
    REQUIRE(page != nullptr);
    CHECK_EQ(page->_refcount, 1);
    CHECK(bytes_of(m->page_address(page))[i] == static_cast<char>('a' + i));
  }
  CHECK(m->vmalloc_to_page(area + 20 * kPageBytes) == nullptr);
  CHECK(m->vmalloc_to_page(&m) == nullptr);
  m->vfree(area);
  CHECK(m->vmalloc_to_page(area) == nullptr);
}

QUARRY_TEST(Vmalloc, takes_large_blocks_where_there_are) {
  Machine m;
  char* area = bytes_of(m->vmalloc(256 * kPageBytes));
  const quarry::Pfn first = m->page_to_pfn(m->vmalloc_to_page(area));
  CHECK(first.is_aligned(Order(8)));
  for (size_t i = 0; i != 256; ++i) {
    CHECK_EQ(m->page_to_pfn(m->vmalloc_to_page(area + i * kPageBytes)), first + i);
  }
  m->vfree(area);
}

// Leaves only single pages free, none beside another.
struct Fragmented {
  explicit Fragmented(Machine& machine) : m(machine) {
    const Gfp all = gfp::kKernel | gfp::kNoWarn | gfp::kMemalloc;  // whatever the marks say
    while (Page* page = m->alloc_pages(all, Order(0))) {
      const uint32_t pfn = m->page_to_pfn(page).value();
      page->index = odd[pfn % 2];
      odd[pfn % 2] = pfn;
    }
    give_back(0);
  }
  ~Fragmented() { give_back(1); }
  void give_back(unsigned parity) {
    for (unsigned long pfn = odd[parity]; pfn != 0;) {
      Page* page = m->pfn_to_page(quarry::Pfn(pfn));
      pfn = page->index;
      m->free_pages(page, Order(0));
    }
  }
  Machine& m;
  unsigned long odd[2] = {};
};

QUARRY_TEST(Vmalloc, shows_scattered_frames_in_a_row) {
  Machine m;
  Fragmented fragmented(m);
  constexpr size_t kPages = 100;
  char* area = bytes_of(m->vmalloc(kPages * kPageBytes));
  REQUIRE(area != nullptr);
  for (size_t i = 0; i != kPages * kPageBytes; ++i) area[i] = static_cast<char>(i / 13);
  for (size_t i = 0; i != kPages; ++i) {
    const Page* page = m->vmalloc_to_page(area + i * kPageBytes);
    CHECK_EQ(m->page_to_pfn(page).value() % 2, 0U);  // so no two are neighbours
    const char* direct = bytes_of(m->page_address(page));
    for (size_t j = 0; j < kPageBytes; j += 511) {
      CHECK(direct[j] == static_cast<char>((i * kPageBytes + j) / 13));
    }
  }
  m->vfree(area);
}

QUARRY_TEST(Vmalloc, zeroes_only_where_asked) {
  Machine m;
  char* area = bytes_of(m->vmalloc(64 * kPageBytes));
  for (size_t i = 0; i != 64 * kPageBytes; ++i) area[i] = 7;
  m->vfree(area);
  area = bytes_of(m->vzalloc(64 * kPageBytes));
  size_t dirty = 0;
  for (size_t i = 0; i != 64 * kPageBytes; ++i) dirty += area[i] != 0;
  CHECK_EQ(dirty, 0U);
  m->vfree(area);
}

QUARRY_TEST(Vmalloc, refuses_sizes_without_sense) {
  Machine m;
  CHECK(m->vmalloc(0) == nullptr);
  CHECK(m.reported("vmalloc or vmap of size 0"));
  CHECK(m->vmalloc(65 * kMiB) == nullptr);
  CHECK(m.reported("vmalloc error: size 68157440, exceeds total pages, mode:0xcc0(GFP_KERNEL)"));
  CHECK(m->vmalloc(65 * kMiB, gfp::kKernel | gfp::kNoWarn) == nullptr);
  for (size_t bytes : {SIZE_MAX, SIZE_MAX - kPageBytes, SIZE_MAX / 2}) {
    CHECK(m->vmalloc(bytes, gfp::kKernel | gfp::kNoWarn) == nullptr);
  }
  CHECK(m->vmap({}) == nullptr);
  CHECK(m.reported("vmalloc or vmap of size 0"));
}

QUARRY_TEST(Vmalloc, without_memory_everything_is_given_back) {
  Machine m;
  void* most = m->vmalloc(m->free_page_count() / 2 * kPageBytes);
  REQUIRE(most != nullptr);
  const uint64_t free_pages = m->free_page_count();
  CHECK(m->vmalloc((free_pages + 10) * kPageBytes) == nullptr);
  CHECK(m.reported("failed to allocate pages"));
  CHECK(m->vmalloc((free_pages + 10) * kPageBytes, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK_EQ(m->free_page_count() + 3 >= free_pages, true);
  m->vfree(most);
}

QUARRY_TEST(Vmalloc, bad_frees_are_reported_and_harm_nothing) {
  Machine m;
  char* area = bytes_of(m->vmalloc(4 * kPageBytes));
  char text[80];
  const auto expect = [&m](const char* what, const void* address) {
    quarry::FixedText<80> line;
    quarry::format(line, "Trying to vfree() %s (%p)\n", what, address);
    CHECK(m.reported(line.c_str()));
  };
  m->vfree(area + 8);
  expect("bad address", area + 8);
  m->vfree(area + kPageBytes);
  expect("nonexistent vm area", area + kPageBytes);
  m->vunmap(area);
  CHECK(m.reported("Trying to vunmap() nonexistent vm area"));
  m->free_area(area);
  CHECK(m.reported("nonexistent vm area"));
  area[3 * kPageBytes] = 1;
  m->vfree(area);
  m->vfree(area);
  CHECK(m.reported("Trying to vfree() nonexistent vm area"));
  m->vfree(text);
  CHECK(m.log.count("Trying to vfree()") == 1);
  m.log.clear();
}

QUARRY_TEST(Vmalloc, interrupts_get_null_and_atomic_sections_a_report) {
  Machine m;
  {
    ContextGuard irq(&quarry_context::hardirq_depth);
    CHECK(m->vmalloc(kPageBytes) == nullptr);
    CHECK(m.reported("vmalloc or vmap in interrupt"));
    CHECK(m->reserve_area(kPageBytes, kPageBytes) == nullptr);
    CHECK(!m.log.empty());
    m.log.clear();
  }
  void* area = nullptr;
  {
    ContextGuard atomic(&quarry_context::atomic_depth);
    area = m->vmalloc(kPageBytes, gfp::kKernel);
    CHECK(m.reported("BUG: sleeping function called from invalid context"));
  }
  REQUIRE(area != nullptr);
  {
    ContextGuard irq(&quarry_context::softirq_depth);
    m->vfree(area);
  }
}

QUARRY_TEST(Vmalloc, a_page_with_another_user_outlives_its_area) {
  Machine m;
  char* area = bytes_of(m->vmalloc(16 * kPageBytes));
  Page* page = m->vmalloc_to_page(area + 5 * kPageBytes);
  area[5 * kPageBytes] = 'x';
  m->get_page(page);
  m->vfree(area);
  CHECK_EQ(page->_refcount, 1);
  CHECK(bytes_of(m->page_address(page))[0] == 'x');
  CHECK(m.sound());
  m->put_page(page);
}

QUARRY_TEST(Vmalloc, keeps_to_zones_and_nodes) {
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  char* dma = bytes_of(m->vmalloc(10 * kPageBytes, gfp::kKernel | gfp::kDma));
  REQUIRE(dma != nullptr);
  for (size_t i = 0; i != 10; ++i) {
    CHECK(m->page_to_pfn(m->vmalloc_to_page(dma + i * kPageBytes)).value() < 4096U);
  }
  m->vfree(dma);
  for (int node = 0; node != 2; ++node) {
    char* area = bytes_of(m->vmalloc(10 * kPageBytes, gfp::kKernel, NodeId(node)));
    for (size_t i = 0; i != 10; ++i) {
      CHECK_EQ(m->page_node(m->vmalloc_to_page(area + i * kPageBytes)), NodeId(node));
    }
    m->vfree(area);
  }
}

QUARRY_TEST(Vmap, shows_pages_a_second_time) {
  Machine m;
  constexpr size_t kPages = 9;
  Page* pages[kPages];
  for (Page*& page : pages) page = m->alloc_pages(gfp::kKernel, Order(0));
  Page* const reversed[] = {pages[8], pages[2], pages[1], pages[0]};
  char* area = bytes_of(m->vmap(reversed));
  char* all = bytes_of(m->vmap(pages, quarry::MapAccess::kReadOnly));
  for (size_t i = 0; i != 4; ++i) area[i * kPageBytes] = static_cast<char>('a' + i);
  CHECK(all[0] == 'd');
  CHECK(all[8 * kPageBytes] == 'a');
  CHECK(m->vmalloc_to_page(area + kPageBytes) == pages[2]);
  CHECK_EQ(m->vmalloc_page_count(), 0U);
  m->vunmap(area);
  m->vfree(all);  // allowed by Linux: it frees the addresses, the pages are not its own
  for (Page* page : pages) {
    CHECK_EQ(page->_refcount, 1);
    m->free_pages(page, Order(0));
  }
  m->vunmap(nullptr);
}

QUARRY_TEST(Vmap, of_what_is_no_page_is_refused) {
  Machine m;
  Page* page = m->alloc_pages(gfp::kKernel, Order(0));
  Page no_page{};
  Page* const with_null[] = {page, nullptr};
  CHECK(m->vmap(with_null) == nullptr);
  CHECK(m.reported("vmap of what is no page"));
  Page* const with_other[] = {page, &no_page};
  CHECK(m->vmap(with_other) == nullptr);
  CHECK(m.reported("vmap of what is no page"));
  CHECK_EQ(page->_refcount, 1);
  m->free_pages(page, Order(0));
}

QUARRY_TEST(ReservedArea, is_aligned_and_guarded) {
  Machine m;
  void* low = m->vmalloc(1);
  void* area = m->reserve_area(3 * kPageBytes, 64 * kPageBytes);
  CHECK_EQ(number(area) % (64 * kPageBytes), 0U);
  CHECK(m->vmalloc_to_page(area) == nullptr);
  void* next = m->reserve_area(1, 1);  // from the space before
  CHECK_EQ(number(next), number(low) + 2 * kPageBytes);
  CHECK(m->reserve_area(kPageBytes, 3) == nullptr);
  CHECK(m.reported("makes no sense"));
  m->vfree(area);
  CHECK(m.reported("Trying to vfree() nonexistent vm area"));
  m->free_area(area);
  m->free_area(next);
  m->vfree(low);
  m->free_area(nullptr);
}

QUARRY_TEST(ReservedArea, the_range_can_run_out) {
  Machine m{.vmalloc_bytes = 64 * kPageBytes};
  void* half = m->reserve_area(31 * kPageBytes, 1);
  CHECK(m->reserve_area(32 * kPageBytes, 1) == nullptr);
  CHECK(m.reported("no address range of that size is free"));
  CHECK(m->vmalloc(32 * kPageBytes, gfp::kKernel | gfp::kNoWarn) == nullptr);
  void* rest = m->vmalloc(31 * kPageBytes);
  CHECK(rest != nullptr);
  CHECK(m->vmalloc(1, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK(m.sound());
  m->vfree(rest);
  m->free_area(half);
  // What is kept for other sizes is free before the range has run out.
  CHECK_EQ(unpurged(m), 2U);
  void* most = m->reserve_area(63 * kPageBytes, 1);
  CHECK(most == half);
  m->free_area(most);
}

QUARRY_TEST(Kvmalloc, prefers_kmalloc_and_falls_back) {
  Machine m;
  void* small = m->kvmalloc(100, gfp::kKernel);
  void* large = m->kvmalloc(100'000, gfp::kKernel);
  CHECK(!m->is_vmalloc_addr(small) && !m->is_vmalloc_addr(large));
  m->kvfree(small);
  m->kvfree(large);
  m->kvfree(nullptr);
  {
    Fragmented fragmented(m);
    CHECK(m->kvmalloc(100'000, gfp::kNoWait) == nullptr);  // may not sleep: no vmalloc
    char* area = bytes_of(m->kvmalloc(100'000, gfp::kKernel | gfp::kZero));
    REQUIRE(area != nullptr);
    CHECK(m->is_vmalloc_addr(area));
    CHECK(area[99'999] == 0);
    m->kvfree(area);
  }
  CHECK(m->kvmalloc(size_t{3} << 30, gfp::kKernel) == nullptr);
  CHECK(m.reported("kvmalloc() beyond INT_MAX"));
  CHECK(m->kvmalloc(size_t{3} << 30, gfp::kKernel | gfp::kNoWarn) == nullptr);
  CHECK(m->kvmalloc(size_t{100} << 20, gfp::kKernel) == nullptr);
  CHECK(m.reported("exceeds total pages"));
}

// What the mapper refuses, at each step of an area of many runs.
class RefusingMapper final : public quarry::PageMapper {
 public:
  explicit RefusingMapper(quarry::Platform& platform) : platform_(platform) {}
  bool map(quarry::VirtAddr at, quarry::Pfn first, size_t count,
           quarry::MapAccess access) override {
    if (calls_left == 0) return false;
    --calls_left;
    mapped += count;
    return platform_.map(at, first, count, access);
  }
  void unmap(quarry::VirtAddr at, size_t count) override {
    mapped -= count;
    platform_.unmap(at, count);
  }
  size_t calls_left = 0;
  size_t mapped = 0;

 private:
  quarry::Platform& platform_;
};

QUARRY_TEST(Vmalloc, a_mapper_that_refuses_loses_nothing) {
  Machine m;
  RefusingMapper mapper(m.platform);
  quarry::Vmalloc vmalloc;
  REQUIRE(vmalloc.boot(m.core().pages, m.core().kmem, mapper));
  {
    Fragmented fragmented(m);
    for (size_t calls = 0; calls <= 20; ++calls) {
      mapper.calls_left = calls;
      void* area = vmalloc.alloc(20 * kPageBytes, gfp::kKernel, kNoNode, 0);
      CHECK_EQ(area != nullptr, calls == 20);
      if (area != nullptr) vmalloc.free(area, 0);
      CHECK_EQ(mapper.mapped, 0U);
      CHECK_EQ(vmalloc.page_count(), 0U);
    }
  }
  CHECK(m.reported("failed to map pages"));
  CHECK_EQ(vmalloc.shutdown(), 0U);
}

// The n-th allocation inside fails, for every n: nothing is lost, whether that ends in null or a
// smaller block served instead. The least number of results that are null is given.
template <typename Make, typename Free>
void fail_each(Machine& m, uint32_t least_nulls, Make&& make, Free&& free) {
  quarry_context& context = quarry::Arch::context();
  const quarry::FaultParameters all{
      .ignore_gfp_wait = false, .ignore_gfp_highmem = false, .min_order = 0};
  m.core().kmem.set_fault_parameters(all);
  m.core().pages.set_fault_parameters(all);
  uint32_t nulls = 0;
  bool failed = true;
  for (uint32_t n = 1; failed; ++n) {
    REQUIRE(n != 200);
    context.fail_nth = n;
    quarry::update_forbidden_gfp(context);
    void* const made = make();
    failed = context.fail_nth == 0;
    context.fail_nth = 0;
    quarry::update_forbidden_gfp(context);
    CHECK(m.sound());
    CHECK(failed || made != nullptr);
    nulls += made == nullptr ? 1 : 0;
    if (made != nullptr) free(made);
    CHECK(m.idle());
  }
  CHECK(nulls >= least_nulls);
}

QUARRY_TEST(Vmalloc, the_nth_allocation_fails) {
  Machine m;
  const Gfp quiet = gfp::kKernel | gfp::kNoWarn;
  const auto vfree = [&](void* area) { m->vfree(area); };
  const auto area_of = [&](size_t pages, Gfp flags) {
    return [&m, pages, flags] { return m->vmalloc(pages * kPageBytes, flags); };
  };
  fail_each(m, 2, area_of(1, quiet), vfree);   // the area, the page
  fail_each(m, 3, area_of(33, quiet), vfree);  // the area, its numbers, the last page
  fail_each(m, 4, area_of(2501, quiet | gfp::kZero), vfree);
  fail_each(
      m, 2, [&] { return m->reserve_area(kPageBytes, 16 * kPageBytes); },
      [&](void* area) { m->free_area(area); });
  m.log.clear();
}

QUARRY_TEST(Vmalloc, shutdown_takes_everything_back) {
  Machine m;
  RefusingMapper mapper(m.platform);
  mapper.calls_left = SIZE_MAX;
  quarry::Vmalloc vmalloc;
  REQUIRE(vmalloc.boot(m.core().pages, m.core().kmem, mapper));
  CHECK(vmalloc.alloc(kPageBytes, gfp::kKernel, kNoNode, 0) != nullptr);
  // Frame numbers of the first lie below it: in the hole that the one before leaves.
  void* hole = vmalloc.alloc(8 * kPageBytes, gfp::kKernel, kNoNode, 0);
  CHECK(vmalloc.alloc(3000 * kPageBytes, gfp::kKernel, kNoNode, 0) != nullptr);
  vmalloc.free(hole, 0);
  CHECK_EQ(vmalloc.purge(), 1U);
  CHECK(vmalloc.alloc(4000 * kPageBytes, gfp::kKernel, kNoNode, 0) != nullptr);
  CHECK(vmalloc.reserve_area(kPageBytes, 1, 0) != nullptr);
  CHECK_EQ(vmalloc.shutdown(), 4U);
  CHECK_EQ(mapper.mapped, 0U);
  CHECK_EQ(vmalloc.page_count(), 0U);
}

}  // namespace
