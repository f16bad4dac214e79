// SPDX-License-Identifier: MIT
// Random areas of all kinds against a list of what they should hold; at every step each page of
// every area has its own frame, and at the end everything is back.
#include "base/random.h"
#include "machine.h"

namespace {

using harness::Machine;
using quarry::kPageBytes;
using quarry::Order;
using quarry::Page;
using quarry::Random;
namespace gfp = quarry::gfp;

constexpr size_t kSlots = 48;
constexpr size_t kMostPages = 1100;
constexpr unsigned kOperations = 60'000;
constexpr int kPerValidation = 2000;

enum class Kind : uint8_t { kFree, kVmalloc, kVmap, kReserved };

struct Slot {
  Kind kind = Kind::kFree;
  char* area = nullptr;
  size_t pages = 0;
  uint64_t mark = 0;
  Page* page = nullptr;  // vmap: shown in each of its pages
};

class VmallocModel {
 public:
  VmallocModel(Machine& machine, uint64_t seed) : m_(machine), random_(seed) {}

  void step() {
    if (random_.one_in(500)) m_->vm_unmap_aliases();
    Slot& slot = slots_[random_.below(kSlots)];
    if (slot.kind == Kind::kFree) {
      make(slot);
    } else {
      check(slot);
      drop(slot);
    }
  }

  // No two areas overlap, guards included, and nothing of one was written by another.
  void validate() {
    CHECK(m_.sound());
    uint64_t pages = 0;
    for (const Slot& slot : slots_) {
      if (slot.kind == Kind::kFree) continue;
      check(slot);
      if (slot.kind == Kind::kVmalloc) pages += slot.pages;
      for (const Slot& other : slots_) {
        if (other.kind == Kind::kFree || &other == &slot) continue;
        CHECK(other.area >= slot.area + (slot.pages + 1) * kPageBytes ||
              slot.area >= other.area + (other.pages + 1) * kPageBytes);
      }
    }
    CHECK(m_->vmalloc_page_count() >= pages);  // and the arrays of frame numbers of large areas
  }

  void drop_all() {
    for (Slot& slot : slots_) {
      if (slot.kind != Kind::kFree) drop(slot);
    }
  }

 private:
  void make(Slot& slot) {
    slot.pages = random_.one_in(20) ? random_.between(100, kMostPages) : random_.between(1, 20);
    const size_t bytes = slot.pages * kPageBytes - random_.below(kPageBytes);
    const uint32_t dice = random_.below(10);
    slot.kind = dice < 6 ? Kind::kVmalloc : dice < 8 ? Kind::kVmap : Kind::kReserved;
    slot.mark = random_.next_u64();
    if (slot.kind == Kind::kVmalloc) {
      slot.area = static_cast<char*>(m_->vmalloc(bytes, gfp::kKernel | gfp::kNoWarn));
    } else if (slot.kind == Kind::kReserved) {
      slot.area = static_cast<char*>(m_->reserve_area(bytes, kPageBytes << random_.below(8)));
    } else {
      show_one_page(slot);
    }
    if (slot.area == nullptr) {
      slot = {};
    } else if (slot.kind != Kind::kReserved) {
      for (size_t i = 0; i != slot.pages; ++i) word(slot, i) = mark(slot, i);
    }
  }

  void show_one_page(Slot& slot) {
    slot.pages = random_.between(1, 40);
    slot.page = m_->alloc_pages(gfp::kKernel | gfp::kNoWarn, Order(0));
    if (slot.page == nullptr) return;
    Page* pages[40];
    for (Page*& page : pages) page = slot.page;
    slot.area = static_cast<char*>(m_->vmap(std::span(pages, slot.pages)));
    if (slot.area == nullptr) m_->free_pages(slot.page, Order(0));
  }

  void check(const Slot& slot) {
    for (size_t i = 0; i != slot.pages; ++i) {
      const Page* page = m_->vmalloc_to_page(slot.area + i * kPageBytes);
      if (slot.kind == Kind::kReserved) {
        CHECK(page == nullptr);
        continue;
      }
      REQUIRE(page != nullptr);
      CHECK(slot.page == nullptr || page == slot.page);
      CHECK_EQ(word(slot, i),
               slot.kind == Kind::kVmap ? mark(slot, slot.pages - 1) : mark(slot, i));
    }
  }

  void drop(Slot& slot) {
    if (slot.kind == Kind::kVmalloc) {
      m_->vfree(slot.area);
    } else if (slot.kind == Kind::kReserved) {
      m_->free_area(slot.area);
    } else {
      m_->vunmap(slot.area);
      m_->free_pages(slot.page, Order(0));
    }
    slot = {};
  }

  static uint64_t& word(const Slot& slot, size_t page) {
    return *reinterpret_cast<uint64_t*>(slot.area + page * kPageBytes + 64);
  }
  static uint64_t mark(const Slot& slot, size_t page) { return slot.mark + page; }

  Machine& m_;
  Random random_;
  Slot slots_[kSlots];
};

QUARRY_TEST(VmallocModel, areas_hold_what_they_should) {
  Machine m{.nodes = 2, .mib = 96, .cpus = 2};
  VmallocModel model(m, harness::seed());
  for (unsigned i = 0; i != harness::operations(kOperations) && harness::run.failures == 0; ++i) {
    if (i % 7 == 0) m.on_cpu(i / 7 % 2);
    model.step();
    if (i % kPerValidation == 0) model.validate();
  }
  model.validate();
  model.drop_all();
}

}  // namespace
