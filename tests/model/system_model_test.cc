// SPDX-License-Identifier: MIT
// Random operations on a whole system, short of memory at times, against a list of what
// should be alive and a map of who owns each frame:
//
//   managed frames == free frames + frames of slabs + frames owned by what is in the list
#include "base/random.h"
#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::kPageBytes;
using quarry::kPageShift;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
using quarry::Pfn;
using quarry::Random;
namespace gfp = quarry::gfp;

constexpr unsigned kOperations = 1'050'000;
constexpr int kPerValidation = 8000;
constexpr unsigned kMostItems = 900;
constexpr unsigned kMib = 24;
constexpr unsigned kCpus = 4;
constexpr unsigned kNodes = 2;
constexpr size_t kFrames = kMib * 256;
// Frame numbers of areas up to this size lie in slabs and not in frames of their own.
constexpr size_t kMostAreaPages = 500;
constexpr size_t kMostMapped = 16;

enum class Kind : uint8_t { kPages, kExactPages, kSingles, kKmalloc, kVmalloc, kVmap, kReserved };

struct Item {
  Kind kind = Kind::kPages;
  uint8_t order = 0;                // kPages
  unsigned char* memory = nullptr;  // where its contents are seen; null: page by page
  size_t bytes = 0;                 // of its contents
  Page* pages[kMostMapped] = {};    // kSingles, kVmap
  size_t page_count = 0;
  uint32_t tag = 0;
};

class SystemModel {
 public:
  SystemModel(Machine& machine, uint64_t seed) : m_(machine), random_(seed) {}

  void run() {
    for (unsigned i = 0; i != harness::operations(kOperations) && harness::run.failures == 0; ++i) {
      step();
      if (i % kPerValidation == 0) validate();
    }
    while (count_ != 0) release(random_.below(count_));
    validate();
    CHECK(successes_ > harness::operations(kOperations / 4));
    CHECK(failures_ > harness::operations(kOperations / 10'000));
  }

 private:
  void step() {
    if (m_.cpu_kind == CpuKind::kSimulated && random_.one_in(8)) m_.on_cpu(random_.below(kCpus));
    if (random_.one_in(1000)) take_percent_ = random_.between(35, 75);
    if (random_.one_in(10000)) m_.give_back_all();
    if (count_ == kMostItems || random_.below(100) >= take_percent_) {
      if (count_ != 0) release(random_.below(count_));
      return;
    }
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
        return take_pages();
      case 3:
        return take_exact();
      case 4:
        return take_singles();
      case 5:
        return take_vmalloc();
      case 6:
        return random_.one_in(2) ? take_vmap() : take_reserved();
      case 7:
        return resize();
      default:
        return take_kmalloc();
    }
  }

  quarry::Gfp bits() {
    constexpr quarry::Gfp kBits[] = {gfp::kKernel,
                                     gfp::kAtomic,
                                     gfp::kNoWait,
                                     gfp::kUser,
                                     gfp::kHighUserMovable,
                                     gfp::kKernel | gfp::kReclaimable,
                                     gfp::kKernel | gfp::kZero,
                                     gfp::kKernel | gfp::kDma};
    return kBits[random_.below(std::size(kBits))] | gfp::kNoWarn;
  }
  quarry::Gfp object_bits() { return bits() & ~(gfp::kHighmemBit | gfp::kMovable); }
  NodeId some_node() { return NodeId(static_cast<int>(random_.below(kNodes + 1)) - 1); }
  Order some_order() { return Order(random_.one_in(20) ? random_.below(11) : random_.below(4)); }

  void take_pages() {
    const Order order = some_order();
    const quarry::Gfp flags = random_.one_in(2) ? bits() | gfp::kComp : bits();
    Page* page = m_->alloc_pages(flags, order, some_node());
    if (page == nullptr) return failed();
    auto* memory = static_cast<unsigned char*>(m_->page_address(page));
    CHECK(m_->page_to_pfn(page).is_aligned(order));
    Item& item = add({.kind = Kind::kPages,
                      .order = order.value(),
                      .memory = memory,
                      .bytes = kPageBytes << order.value()},
                     any(flags, gfp::kZero));
    own_frames(item);
  }

  void take_exact() {
    const size_t bytes = random_.between(1, 40 * kPageBytes);
    const quarry::Gfp flags = object_bits();
    void* memory = m_->alloc_pages_exact(bytes, flags, some_node());
    if (memory == nullptr) return failed();
    Item& item = add({.kind = Kind::kExactPages,
                      .memory = static_cast<unsigned char*>(memory),
                      .bytes = quarry::round_up(bytes, kPageBytes)},
                     any(flags, gfp::kZero));
    own_frames(item);
  }

  // Single pages: in bulk, or of a block that is split.
  void take_singles() {
    Item item{.kind = Kind::kSingles};
    if (random_.one_in(2)) {
      const size_t wanted = random_.between(1, kMostMapped);
      item.page_count = m_->alloc_pages_bulk(bits(), {item.pages, wanted}, some_node());
    } else {
      const Order order{random_.below(5)};
      Page* block = m_->alloc_pages(bits() & ~gfp::kComp, order);
      if (block != nullptr) {
        m_->split_page(block, order);
        item.page_count = order.pages();
        for (uint32_t i = 0; i != order.pages(); ++i) item.pages[i] = block + i;
      }
    }
    if (item.page_count == 0) return failed();
    own_frames(add(item, false));
  }

  void take_kmalloc() {
    const uint32_t shift = random_.between(3, random_.one_in(20) ? 22 : 13);
    const size_t bytes = random_.between(1, 1U << shift);
    const quarry::Gfp flags = object_bits();
    const bool maybe_vmalloc = bytes <= kMostAreaPages * kPageBytes && random_.one_in(4) &&
                               any(flags, gfp::kDirectReclaim);
    void* memory = maybe_vmalloc       ? m_->kvmalloc(bytes, flags, some_node())
                   : random_.one_in(3) ? m_->kmalloc_node(bytes, flags, some_node())
                                       : m_->kmalloc(bytes, flags);
    if (memory == nullptr) return failed();
    const bool area = m_->is_vmalloc_addr(memory);
    Item& item = add({.kind = area ? Kind::kVmalloc : Kind::kKmalloc,
                      .memory = static_cast<unsigned char*>(memory),
                      .bytes = bytes},
                     any(flags, gfp::kZero));
    area ? own_frames(item) : own_object(item);
  }

  void take_vmalloc() {
    const size_t bytes = random_.between(
        1, static_cast<uint32_t>((random_.one_in(8) ? kMostAreaPages : 40) * kPageBytes));
    const quarry::Gfp flags = random_.one_in(2) ? gfp::kKernel : gfp::kKernel | gfp::kZero;
    void* memory = m_->vmalloc(bytes, flags | gfp::kNoWarn, some_node());
    if (memory == nullptr) return failed();
    Item& item =
        add({.kind = Kind::kVmalloc, .memory = static_cast<unsigned char*>(memory), .bytes = bytes},
            any(flags, gfp::kZero));
    own_frames(item);
  }

  // The pages of a kSingles at a second address; what is written there is seen in the pages.
  void take_vmap() {
    if (count_ == 0) return;
    Item& source = items_[random_.below(count_)];
    if (source.kind != Kind::kSingles) return;
    REQUIRE(m_.log.empty());
    void* memory = m_->vmap({source.pages, source.page_count});
    if (memory == nullptr) return failed_aloud();
    check(source);
    source.kind = Kind::kVmap;
    source.memory = static_cast<unsigned char*>(memory);
    check(source);
  }

  void take_reserved() {
    const size_t align = kPageBytes << random_.below(6);
    REQUIRE(m_.log.empty());
    void* memory = m_->reserve_area(random_.between(1, 100 * kPageBytes), align);
    if (memory == nullptr) return failed_aloud();
    CHECK_EQ(reinterpret_cast<uintptr_t>(memory) % align, 0U);
    CHECK(m_->vmalloc_to_page(memory) == nullptr);
    add({.kind = Kind::kReserved, .memory = static_cast<unsigned char*>(memory)}, false);
  }

  void resize() {
    if (count_ == 0) return;
    Item& item = items_[random_.below(count_)];
    if (item.kind != Kind::kKmalloc) return;
    const size_t bytes = random_.between(1, random_.one_in(8) ? 200000 : 3000);
    check(item);
    disown(item);
    void* memory = m_->krealloc(item.memory, bytes, object_bits() & ~gfp::kZero);
    if (memory == nullptr) {
      failed();
    } else {
      item.memory = static_cast<unsigned char*>(memory);
      if (bytes < item.bytes) item.bytes = bytes;
      check(item);  // what was there came along
      item.bytes = bytes;
      mark(item);
    }
    own_object(item);
  }

  void release(unsigned index) {
    Item item = items_[index];
    check(item);
    disown(item);
    items_[index] = items_[--count_];
    switch (item.kind) {
      case Kind::kPages:
        return m_->free_pages(m_->virt_to_page(item.memory), Order(item.order));
      case Kind::kExactPages:
        return m_->free_pages_exact(item.memory, item.bytes);
      case Kind::kVmap:
        m_->vunmap(item.memory);
        [[fallthrough]];
      case Kind::kSingles:
        for (size_t i = 0; i != item.page_count; ++i) m_->put_page(item.pages[i]);
        return;
      case Kind::kKmalloc:
        return random_.one_in(8) ? m_->kvfree(item.memory) : m_->kfree(item.memory);
      case Kind::kVmalloc:
        return random_.one_in(8) ? m_->kvfree(item.memory) : m_->vfree(item.memory);
      case Kind::kReserved:
        return m_->free_area(item.memory);
    }
  }

  void failed() { ++failures_; }
  // Of a call that takes no flags, so that nothing keeps its failure quiet but the limits of rate.
  void failed_aloud() {
    failed();
    if (m_.log.empty()) return;
    CHECK(m_.reported("page allocation failure: order:0") || m_.reported("vmalloc error: size"));
  }

  Item& add(const Item& like, bool zeroed) {
    ++successes_;
    Item& item = items_[count_++] = like;
    item.tag = ++tags_;
    if (zeroed) {
      each_word(item, [](uint32_t& word, uint32_t) { CHECK_EQ(word, 0U); });
    }
    mark(item);
    return item;
  }

  // Words all over the contents: the first, the last, and one here and there.
  template <class Visit>
  void each_word(const Item& item, Visit&& visit) {
    constexpr size_t kStep = 1000;
    if (item.kind == Kind::kSingles || item.kind == Kind::kVmap) {
      for (size_t i = 0; i != item.page_count; ++i) {
        void* page = item.kind == Kind::kVmap ? item.memory + i * kPageBytes
                                              : m_->page_address(item.pages[i]);
        visit(*static_cast<uint32_t*>(page), static_cast<uint32_t>(i));
      }
      return;
    }
    if (item.bytes < sizeof(uint32_t)) return;
    for (size_t at = 0; at + sizeof(uint32_t) <= item.bytes; at += kStep) {
      visit(*reinterpret_cast<uint32_t*>(item.memory + at), static_cast<uint32_t>(at));
    }
  }

  void mark(Item& item) {
    each_word(item, [&](uint32_t& word, uint32_t at) { word = item.tag ^ at * 0x9e3779b1U; });
  }
  void check(const Item& item) {
    size_t wrong = 0;
    each_word(item, [&](uint32_t& word, uint32_t at) {
      wrong += word != (item.tag ^ at * 0x9e3779b1U) ? 1 : 0;
    });
    CHECK_EQ(wrong, 0U);
  }

  // --- Who owns which frame ---

  void own(Pfn pfn) {
    REQUIRE(pfn.value() < kFrames);
    CHECK(!owned_[pfn.value()]);
    owned_[pfn.value()] = true;
    ++owned_count_;
  }
  void give_up(Pfn pfn) {
    REQUIRE(pfn.value() < kFrames);
    CHECK(owned_[pfn.value()]);
    owned_[pfn.value()] = false;
    --owned_count_;
  }
  template <class Visit>
  void each_frame(const Item& item, Visit&& visit) {
    switch (item.kind) {
      case Kind::kSingles:
      case Kind::kVmap:
        for (size_t i = 0; i != item.page_count; ++i) visit(m_->page_to_pfn(item.pages[i]));
        return;
      case Kind::kVmalloc:
        for (size_t at = 0; at < item.bytes; at += kPageBytes) {
          const Page* page = m_->vmalloc_to_page(item.memory + at);
          REQUIRE(page != nullptr);
          visit(m_->page_to_pfn(page));
        }
        return;
      case Kind::kReserved:
        return;
      case Kind::kKmalloc:
        // Of slabs, whoever cuts them.
        if (m_->ksize(item.memory) <= quarry::kMaxClassBytes) return;
        break;
      case Kind::kPages:
      case Kind::kExactPages:
        break;
    }
    const size_t bytes = item.kind == Kind::kKmalloc ? m_->ksize(item.memory) : item.bytes;
    const Pfn first = m_->page_to_pfn(m_->virt_to_page(item.memory));
    for (size_t i = 0; i != bytes >> kPageShift; ++i) visit(first + i);
  }
  void own_frames(const Item& item) {
    each_frame(item, [&](Pfn pfn) { own(pfn); });
  }
  void own_object(const Item& item) {
    CHECK(m_->ksize(item.memory) >= item.bytes);
    CHECK(!owned_[m_->page_to_pfn(m_->virt_to_page(item.memory)).value()]);
    own_frames(item);
  }
  void disown(const Item& item) {
    each_frame(item, [&](Pfn pfn) { give_up(pfn); });
  }

  void validate() {
    CHECK(m_.sound());
    CHECK_EQ(m_->managed_pages(), m_->free_page_count() + m_->slab_page_count() + owned_count_);
  }

  Machine& m_;
  Random random_;
  unsigned take_percent_ = 65;
  Item items_[kMostItems];
  unsigned count_ = 0;
  uint32_t tags_ = 0;
  bool owned_[kFrames] = {};
  size_t owned_count_ = 0;
  size_t successes_ = 0;
  size_t failures_ = 0;
};

void run_model(CpuKind kind) {
  const unsigned cpus = kind == CpuKind::kSimulated ? kCpus : 0;
  Machine m{.nodes = kNodes, .mib = kMib, .cpus = cpus, .cpu_kind = kind};
  SystemModel(m, harness::seed()).run();
}

QUARRY_TEST(SystemModel, simulated_cpus) { run_model(CpuKind::kSimulated); }
QUARRY_TEST(SystemModel, locked_arrays) { run_model(CpuKind::kLocked); }
QUARRY_TEST(SystemModel, lockless_arrays) { run_model(CpuKind::kLockless); }

}  // namespace
