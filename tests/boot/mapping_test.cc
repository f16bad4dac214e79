// SPDX-License-Identifier: MIT
// What is mapped where on a bare machine: by accesses that fault.
#include "harness.h"
#include "kernel.h"
#include "port_layout.h"
#include "scattered_area.h"
#include "x86/probe.h"
#include "x86/smp.h"

namespace {

using namespace quarry;

bool faults_on_load(VirtAddr at) {
  uint32_t value = 0;
  return !probe_load(at, value) && CHECK_EQ(last_fault().address, at.value()) &&
         CHECK_EQ(last_fault().error & (Fault::kPresent | Fault::kWrite), 0U);
}

QUARRY_TEST(Mapping, null_pointers_fault) {
  CHECK(faults_on_load(VirtAddr(uintptr_t{0})));
  CHECK(faults_on_load(VirtAddr(uintptr_t{kMiB})));  // the image, where it was loaded
}

QUARRY_TEST(Mapping, vmalloc_joins_scattered_frames) {
  const boot::Balanced balanced;
  constexpr size_t kPages = 64;
  constexpr size_t kWords = kPageBytes / sizeof(uint32_t);
  const boot::ScatteredArea scattered(kPages);
  REQUIRE(scattered.is_scattered());
  auto* const area = reinterpret_cast<uint32_t*>(scattered.area());
  for (size_t i = 0; i != kPages * kWords; ++i) area[i] = static_cast<uint32_t>(i * 2654435761U);
  size_t wrong = 0;
  for (size_t i = 0; i != kPages; ++i) {
    const auto* const direct =
        static_cast<const uint32_t*>(boot::system().page_address(scattered.page(i)));
    for (size_t word = 0; word != kWords; ++word) {
      if (direct[word] != static_cast<uint32_t>((i * kWords + word) * 2654435761U)) ++wrong;
    }
  }
  CHECK_EQ(wrong, 0U);
}

QUARRY_TEST(Mapping, vmalloc_areas_are_guarded) {
  const boot::Balanced balanced;
  constexpr size_t kBytes = 3 * kPageBytes;
  void* const area = boot::system().vmalloc(kBytes);
  REQUIRE(area != nullptr);
  const VirtAddr start(area);
  uint32_t value = 0;
  CHECK(probe_load(start + (kBytes - sizeof(value)), value));
  CHECK(faults_on_load(start + kBytes));
  boot::system().vfree(area);
  CHECK(faults_on_load(start));
}

QUARRY_TEST(Mapping, read_only_pages_refuse_stores) {
  const boot::Balanced balanced;
  Page* page = boot::system().alloc_pages(gfp::kKernel | gfp::kZero, Order(0));
  REQUIRE(page != nullptr);
  void* const area = boot::system().vmap(std::span(&page, 1), MapAccess::kReadOnly);
  REQUIRE(area != nullptr);
  *static_cast<uint32_t*>(boot::system().page_address(page)) = 0x600d;
  uint32_t value = 0;
  CHECK(probe_load(VirtAddr(area), value));
  CHECK_EQ(value, 0x600dU);
  CHECK(!probe_store(VirtAddr(area), 0xbad));
  CHECK_EQ(last_fault().address, VirtAddr(area).value());
  CHECK_EQ(last_fault().error & 3U, Fault::kPresent | Fault::kWrite);
  CHECK_EQ(*static_cast<uint32_t*>(boot::system().page_address(page)), 0x600dU);
  boot::system().vunmap(area);
  boot::system().free_pages(page, Order(0));
}

// --- What another CPU has cached of a page that is mapped anew ---

struct Reader {
  VirtAddr at;
  std::atomic<unsigned> turn{0};  // odd: the reader's
  uint32_t value = 0;
  bool readable = false;
};

void read_in_turn(void* context) {
  auto& reader = *static_cast<Reader*>(context);
  for (unsigned turn = 1; turn != 7; turn += 2) {
    while (reader.turn.load(std::memory_order_acquire) != turn) Arch::relax(0);
    reader.readable = probe_load(reader.at, reader.value);
    reader.turn.store(turn + 1, std::memory_order_release);
  }
}

void let_read(Reader& reader) {
  const unsigned turn = reader.turn.load(std::memory_order_relaxed) + 1;
  reader.turn.store(turn, std::memory_order_release);
  while (reader.turn.load(std::memory_order_acquire) != turn + 1) Arch::relax(0);
}

QUARRY_TEST(Mapping, other_cpus_see_what_is_mapped_now) {
  const boot::Balanced balanced;
  REQUIRE(machine.cpu_count >= 2);
  PageMapper& mapper = boot::core().space.mapper();
  Page* const first = boot::system().alloc_pages(gfp::kKernel, Order(0));
  Page* const second = boot::system().alloc_pages(gfp::kKernel, Order(0));
  void* const area = boot::system().reserve_area(kPageBytes, kPageBytes);
  REQUIRE(first != nullptr && second != nullptr && area != nullptr);
  *static_cast<uint32_t*>(boot::system().page_address(first)) = 0xaaaa;
  *static_cast<uint32_t*>(boot::system().page_address(second)) = 0xbbbb;

  Reader reader{.at = VirtAddr(area)};
  run_on(CpuId(1), read_in_turn, &reader);
  REQUIRE(mapper.map(reader.at, boot::system().page_to_pfn(first), 1, MapAccess::kReadWrite));
  let_read(reader);
  CHECK(reader.readable && CHECK_EQ(reader.value, 0xaaaaU));
  mapper.unmap(reader.at, 1);
  let_read(reader);
  CHECK(!reader.readable);
  REQUIRE(mapper.map(reader.at, boot::system().page_to_pfn(second), 1, MapAccess::kReadWrite));
  let_read(reader);
  CHECK(reader.readable && CHECK_EQ(reader.value, 0xbbbbU));
  wait_for(CpuId(1));

  mapper.unmap(reader.at, 1);
  boot::system().free_area(area);
  boot::system().free_pages(first, Order(0));
  boot::system().free_pages(second, Order(0));
}

// --- Memory above the direct map ---

constexpr Gfp kHighmem = gfp::kKernel | gfp::kHighmemBit;

QUARRY_TEST(Highmem, is_reached_by_kmap_only) {
  const boot::Balanced balanced;
  Page* const page = boot::system().alloc_pages(kHighmem, Order(0));
  REQUIRE(page != nullptr);
  const Pfn frame = boot::system().page_to_pfn(page);
  CHECK_EQ(boot::system().page_zone(page), static_cast<unsigned>(ZoneType::kHighmem));
  CHECK(frame.value() >= Arch::kLowmemLimit >> kPageShift);
  CHECK(boot::system().page_address(page) == nullptr);
  // Where the frame would be seen, did the direct map not end; and the last page of it.
  const uint64_t beyond = uint64_t{kDirectMapBase} + (uint64_t{frame.value()} << kPageShift);
  if (beyond <= UINTPTR_MAX && beyond < kVmallocStart) {
    CHECK(faults_on_load(VirtAddr(static_cast<uintptr_t>(beyond))));
  }
  constexpr auto kLowmemEnd = static_cast<uintptr_t>(kDirectMapBase + Arch::kLowmemLimit);
  CHECK(faults_on_load(VirtAddr(kLowmemEnd)));
  uint32_t value = 0;
  CHECK(probe_load(VirtAddr(kLowmemEnd - sizeof(value)), value));

  auto& kmap = boot::core().space.kmap();
  auto* const mapped = static_cast<uint32_t*>(kmap.map(page, 0));
  REQUIRE(mapped != nullptr);
  CHECK(VirtAddr(mapped).value() >= kKmapStart);
  *mapped = 0x11220000 + frame.value();
  kmap.unmap(page, 0);
  auto* const local = static_cast<uint32_t*>(kmap.map_local(page));
  CHECK(VirtAddr(local).value() >= kKmapLocalStart);
  CHECK_EQ(*local, 0x11220000 + frame.value());
  kmap.unmap_local(local, 0);
  CHECK(faults_on_load(VirtAddr(local)));
  boot::system().free_pages(page, Order(0));
}

// More pages than slots: the turn begins anew, and slots that nobody uses show other pages then.
QUARRY_TEST(Highmem, slots_are_used_again) {
  const boot::Balanced balanced;
  constexpr unsigned kPages = 1500;
  auto** const pages = static_cast<Page**>(boot::system().vmalloc(kPages * sizeof(Page*)));
  REQUIRE(pages != nullptr);
  auto& kmap = boot::core().space.kmap();
  unsigned got = 0;
  for (; got != kPages; ++got) {
    pages[got] = boot::system().alloc_pages(kHighmem, Order(0));
    if (!CHECK(pages[got] != nullptr)) break;
    auto* const mapped = static_cast<uint32_t*>(kmap.map(pages[got], 0));
    if (!CHECK(mapped != nullptr)) break;
    *mapped = got;
    kmap.unmap(pages[got], 0);
  }
  unsigned wrong = 0;
  for (unsigned i = 0; i != got; ++i) {
    if (*static_cast<const uint32_t*>(kmap.map(pages[i], 0)) != i) ++wrong;
    kmap.unmap(pages[i], 0);
    boot::system().free_pages(pages[i], Order(0));
  }
  CHECK_EQ(wrong, 0U);
  boot::system().vfree(pages);
}

QUARRY_TEST(Highmem, zeroed_pages_are_cleared) {
  const boot::Balanced balanced;
  for (const Order order : {Order(0), Order(2)}) {
    Page* page = boot::system().alloc_pages(kHighmem, order);
    REQUIRE(page != nullptr);
    const Pfn frame = boot::system().page_to_pfn(page);
    for (uint32_t i = 0; i != order.pages(); ++i) {
      void* const mapped = boot::system().kmap_local_page(page + i);
      __builtin_memset(mapped, 0x77, kPageBytes);
      boot::system().kunmap_local(mapped);
    }
    boot::system().free_pages(page, order);
    page = boot::system().alloc_pages(kHighmem | gfp::kZero, order);
    REQUIRE(page != nullptr);
    CHECK_EQ(boot::system().page_to_pfn(page), frame);  // what was freed last
    for (uint32_t i = 0; i != order.pages(); ++i) {
      auto* const words = static_cast<const uint32_t*>(boot::system().kmap_local_page(page + i));
      uint32_t bits = 0;
      for (size_t word = 0; word != kPageBytes / sizeof(*words); ++word) bits |= words[word];
      CHECK_EQ(bits, 0U);
      boot::system().kunmap_local(words);
    }
    boot::system().free_pages(page, order);
  }
}

QUARRY_TEST(Highmem, requests_go_on_in_lowmem) {
  const boot::Balanced balanced;
  Page* chain = nullptr;
  unsigned high = 0;
  bool crossed = false;
  while (!crossed) {
    Page* const page = boot::system().alloc_pages(kHighmem | gfp::kNoWarn, Order(0));
    if (!CHECK(page != nullptr)) break;
    page->private_ = reinterpret_cast<unsigned long>(chain);
    chain = page;
    crossed = boot::system().page_zone(page) < static_cast<unsigned>(ZoneType::kHighmem);
    if (!crossed) ++high;
  }
  CHECK(crossed && high > 1000);
  while (chain != nullptr) {
    auto* const next = reinterpret_cast<Page*>(chain->private_);
    boot::system().free_pages(chain, Order(0));
    chain = next;
  }
}

QUARRY_TEST(Highmem, vmalloc_prefers_it) {
  const boot::Balanced balanced;
  constexpr size_t kPages = 256;
  auto* const area = static_cast<unsigned char*>(boot::system().vmalloc(kPages * kPageBytes));
  REQUIRE(area != nullptr);
  for (size_t i = 0; i != kPages; ++i) {
    const Page* const page = boot::system().vmalloc_to_page(area + i * kPageBytes);
    if (!CHECK_EQ(boot::system().page_zone(page), static_cast<unsigned>(ZoneType::kHighmem))) break;
  }
  boot::system().vfree(area);
}

}  // namespace
