// SPDX-License-Identifier: MIT
// Why there are zones: a device that reaches some of the address bits reads and writes memory of
// the kinds that a driver would ask for. edu.bits= says how many bits the boot's device has.
#include "edu.h"
#include "harness.h"
#include "kernel.h"
#include "scattered_area.h"

namespace {

using namespace quarry;
using boot::Edu;

constexpr size_t kBytes = 2000;

uint64_t mask() { return (uint64_t{1} << boot::number("edu.bits", 28)) - 1; }

uint64_t physical(Pfn frame) { return uint64_t{frame.value()} << kPageShift; }
uint64_t physical(const void* object) {
  return VirtAddr(object) - boot::platform().direct_map_base();
}

void fill(void* memory, size_t bytes, uint8_t seed) {
  auto* const byte = static_cast<uint8_t*>(memory);
  for (size_t i = 0; i != bytes; ++i) byte[i] = static_cast<uint8_t>(seed + i * 7);
}
size_t wrong_bytes(const void* memory, size_t bytes, uint8_t seed) {
  const auto* const byte = static_cast<const uint8_t*>(memory);
  size_t wrong = 0;
  for (size_t i = 0; i != bytes; ++i) {
    if (byte[i] != static_cast<uint8_t>(seed + i * 7)) ++wrong;
  }
  return wrong;
}

// --- What a driver does ---

// From one buffer through the device to another. False: an address is beyond the device's reach.
bool round_trip(Edu& edu, void* from, void* to, uint8_t seed) {
  if (physical(from) + kBytes > mask() + 1 || physical(to) + kBytes > mask() + 1) return false;
  fill(from, kBytes, seed);
  fill(to, kBytes, static_cast<uint8_t>(~seed));
  edu.read_memory(physical(from), kBytes);
  edu.write_memory(physical(to), kBytes);
  return CHECK_EQ(wrong_bytes(to, kBytes, seed), 0U);
}

QUARRY_TEST(Dma, kmalloc_round_trips) {
  const boot::Balanced balanced;
  Edu edu;
  REQUIRE(edu.open());
  const unsigned bits = static_cast<unsigned>(boot::number("edu.bits", 28));
  const struct {
    Gfp gfp;
    unsigned bits;  // where such memory lies below
  } kinds[] = {{gfp::kKernel | gfp::kDma, 24}, {gfp::kKernel, 0}};
  for (const auto& kind : kinds) {
    void* const from = boot::system().kmalloc(kBytes, kind.gfp);
    void* const to = boot::system().kmalloc(kBytes, kind.gfp);
    REQUIRE(from != nullptr && to != nullptr);
    const bool done = round_trip(edu, from, to, 0x35);
    CHECK(done || kind.bits == 0 || kind.bits > bits);
    boot::print("  kmalloc: phys %x to %x: %s\n", physical(from), physical(to),
                done ? "transferred" : "beyond the device's reach");
    boot::system().kfree(from);
    boot::system().kfree(to);
  }
}

QUARRY_TEST(Dma, pages_of_dma32_round_trip) {
  const boot::Balanced balanced;
  Edu edu;
  REQUIRE(edu.open());
  void* const from = boot::system().get_free_pages(gfp::kKernel | gfp::kDma32, Order(0));
  void* const to = boot::system().get_free_pages(gfp::kKernel | gfp::kDma32, Order(0));
  REQUIRE(from != nullptr && to != nullptr);
  CHECK(physical(from) < uint64_t{1} << 32);
  CHECK(round_trip(edu, from, to, 0x71) || boot::number("edu.bits", 28) < 32);
  boot::system().free_pages_at(from, Order(0));
  boot::system().free_pages_at(to, Order(0));
}

// The device reaches what the kernel itself needs kmap for.
QUARRY_TEST(DmaHighmem, pages_round_trip) {
  const boot::Balanced balanced;
  Edu edu;
  REQUIRE(edu.open());
  Page* const from = boot::system().alloc_pages(gfp::kKernel | gfp::kHighmemBit, Order(0));
  Page* const to = boot::system().alloc_pages(gfp::kKernel | gfp::kHighmemBit, Order(0));
  REQUIRE(from != nullptr && to != nullptr);
  CHECK(boot::system().page_address(from) == nullptr);
  auto& kmap = boot::core().space.kmap();
  fill(kmap.map(from, 0), kBytes, 0x4b);
  fill(kmap.map(to, 0), kBytes, 0xb4);
  edu.read_memory(physical(boot::system().page_to_pfn(from)), kBytes);
  edu.write_memory(physical(boot::system().page_to_pfn(to)), kBytes);
  CHECK_EQ(wrong_bytes(kmap.address(to), kBytes, 0x4b), 0U);
  kmap.unmap(to, 0);
  kmap.unmap(from, 0);
  boot::system().free_pages(from, Order(0));
  boot::system().free_pages(to, Order(0));
}

// --- Beyond the limit ---

// All memory that can be had in blocks, so that one finds two whose addresses the device confuses.
class AllBlocks {
 public:
  static constexpr Order kOrder{9};

  AllBlocks() {
    blocks_ = static_cast<Page**>(boot::system().vmalloc(kMost * sizeof(Page*)));
    if (blocks_ == nullptr) return;
    constexpr Gfp kQuiet = gfp::kKernel | gfp::kNoWarn | gfp::kNoRetry;
    for (const Gfp gfp : {kQuiet, kQuiet | gfp::kDma}) {
      while (count_ != kMost) {
        Page* const block = boot::system().alloc_pages(gfp, kOrder);
        if (block == nullptr) break;
        blocks_[count_++] = block;
      }
    }
  }
  ~AllBlocks() {
    for (unsigned i = 0; i != count_; ++i) boot::system().free_pages(blocks_[i], kOrder);
    boot::system().vfree(blocks_);
  }
  AllBlocks(const AllBlocks&) = delete;
  AllBlocks& operator=(const AllBlocks&) = delete;

  // A block above the limit, and the one that has its lower address bits.
  bool find_alias(Page*& above, Page*& below) const {
    for (unsigned i = 0; i != count_; ++i) {
      const uint64_t address = physical(boot::system().page_to_pfn(blocks_[i]));
      if (address <= mask()) continue;
      above = blocks_[i];
      for (unsigned j = 0; j != count_; ++j) {
        below = blocks_[j];
        if (physical(boot::system().page_to_pfn(below)) == (address & mask())) return true;
      }
    }
    return false;
  }

 private:
  static constexpr unsigned kMost = 4096;
  Page** blocks_ = nullptr;
  unsigned count_ = 0;
};

QUARRY_TEST(DmaLimit, an_address_above_hits_the_page_below) {
  const boot::Balanced balanced;
  Edu edu;
  REQUIRE(edu.open());
  const AllBlocks blocks;
  Page* above = nullptr;
  Page* below = nullptr;
  REQUIRE(blocks.find_alias(above, below));
  void* const target = boot::system().page_address(above);
  void* const victim = boot::system().page_address(below);
  REQUIRE(target != nullptr && victim != nullptr);
  fill(victim, kBytes, 0x5a);
  edu.read_memory(physical(victim), kBytes);  // what the device is going to write
  fill(victim, kPageBytes, 0x22);
  fill(target, kPageBytes, 0x11);
  edu.write_memory(physical(target), kBytes);
  CHECK_EQ(wrong_bytes(target, kPageBytes, 0x11), 0U);
  CHECK_EQ(wrong_bytes(victim, kBytes, 0x5a), 0U);
  boot::print("  asked to write at %x, the device wrote at %x\n", physical(target),
              physical(victim));
}

// --- vmalloc ---

constexpr unsigned kPages = 4;

// Leaves in the device what fill() makes of the seed.
void load_device(Edu& edu, uint8_t seed, size_t bytes) {
  void* const buffer = boot::system().kmalloc(bytes, gfp::kKernel | gfp::kDma);
  if (!CHECK(buffer != nullptr)) return;
  fill(buffer, bytes, seed);
  edu.read_memory(physical(buffer), bytes);
  boot::system().kfree(buffer);
}

QUARRY_TEST(Dma, vmalloc_goes_page_by_page) {
  const boot::Balanced balanced;
  Edu edu;
  REQUIRE(edu.open());
  const boot::ScatteredArea scattered(kPages);
  REQUIRE(scattered.is_scattered());
  load_device(edu, 0x17, Edu::kMostBytes);
  for (unsigned i = 0; i != kPages; ++i) {
    edu.write_memory(physical(boot::system().page_to_pfn(scattered.page(i))), Edu::kMostBytes);
  }
  for (unsigned i = 0; i != kPages; ++i) {
    CHECK_EQ(wrong_bytes(scattered.area() + i * kPageBytes, Edu::kMostBytes, 0x17), 0U);
  }
}

QUARRY_TEST(Dma, vmalloc_is_not_contiguous_for_a_device) {
  const boot::Balanced balanced;
  Edu edu;
  REQUIRE(edu.open());
  const boot::ScatteredArea scattered(kPages);
  REQUIRE(scattered.is_scattered());
  constexpr size_t kHalf = kPageBytes / 2;
  auto* const neighbour = static_cast<uint8_t*>(boot::system().page_address(scattered.page(0) + 1));
  fill(scattered.area(), 2 * kPageBytes, 0x33);
  fill(neighbour, kPageBytes, 0x44);
  load_device(edu, 0x5b, 2 * kHalf - 1);
  // Meant for the second half of the first page and the first of the second.
  edu.write_memory(physical(boot::system().page_to_pfn(scattered.page(0))) + kHalf, 2 * kHalf - 1);
  CHECK_EQ(wrong_bytes(scattered.area() + kHalf, kHalf, 0x5b), 0U);
  constexpr auto kContinued = static_cast<uint8_t>(0x33 + kPageBytes * 7);
  CHECK_EQ(wrong_bytes(scattered.area() + kPageBytes, kHalf, kContinued), 0U);
  constexpr auto kLanded = static_cast<uint8_t>(0x5b + kHalf * 7);
  CHECK_EQ(wrong_bytes(neighbour, kHalf - 1, kLanded), 0U);
}

}  // namespace
