// SPDX-License-Identifier: MIT
// SLOB against the plainest form of its rules: every page of a list searched unit by unit, in the
// order of the ring, backwards for requests of other lists. Each block has to come from the same
// place; whatever makes the real search shorter must not show.
#include "base/random.h"
#include "frame/boot_page_map.h"
#include "kmem/slob/slob.h"
#include "support/test_platform.h"

namespace quarry {
namespace {

constexpr unsigned kOperations = 150'000;
constexpr unsigned kMostObjects = 900;
constexpr unsigned kMostPages = 700;
constexpr unsigned kCaches = 6;
constexpr size_t kHeaderBytes = 8;
constexpr unsigned kLists = 3;

struct SlobSystem {
  harness::TestPlatform platform{1};
  Memblock memblock;
  PageMap map;
  PageAllocator pages;
  Rcu rcu;  // no cache here asks for it
  Kmem kmem;
  Slob slob;

  bool boot() {
    platform.add_memory(0, 16 * kMiB);
    if (!memblock.add_all(platform)) return false;
    BootMemory memory(memblock, platform, PhysAddr(uint64_t{1} << 44));
    if (!boot_page_map(map, memory, platform) || !pages.boot(platform, map, memory, {})) {
      return false;
    }
    slob.init(kmem, pages);
    if (!kmem.boot(pages, slob, rcu, memory, {}, 0)) return false;
    pages.hand_over(memblock);
    return true;
  }
};

// What the rules say. Pages are known by their addresses.
class Rules {
 public:
  struct Block {
    uintptr_t page;  // 0: a page that nobody has
    unsigned at;
  };

  Block take(size_t bytes, size_t align, size_t align_at) const {
    for (unsigned list = list_for(bytes); list != kLists; ++list) {
      const Ring& ring = ring_[list];
      const bool guest = list != list_for(bytes);
      unsigned next = guest ? ring.index_of(ring.guests) : 0;
      for (unsigned i = 0; i != ring.count; ++i) {
        const ModelPage& page = *ring.page[next];
        next = guest ? ring.before(next) : next + 1;
        const unsigned at = first_fit(page, bytes, align, align_at);
        if (at != kSlobUnits) return {page.address, at};
      }
    }
    ModelPage empty{};
    for (bool& free : empty.is_free) free = true;
    return {0, first_fit(empty, bytes, align, align_at)};
  }

  // A block was taken at this place.
  void note_taken(uintptr_t address, size_t bytes) {
    ModelPage* page = find(address - address % kPageBytes);
    if (page == nullptr) {
      page = new_page(address - address % kPageBytes);
      add_first(list_for(bytes), *page);
    }
    set(*page, address, bytes, false);
    if (page->free_units == 0) {
      remove(*page);
    } else if (page->list == list_for(bytes)) {
      turn(page->list, *page);
    } else {
      ring_[page->list].guests = page;
    }
  }

  void note_freed(uintptr_t address, size_t bytes) {
    ModelPage& page = *find(address - address % kPageBytes);
    const bool was_full = page.free_units == 0;
    set(page, address, bytes, true);
    if (page.free_units == kSlobUnits) {
      if (!was_full) remove(page);
      page.address = 0;
    } else if (was_full) {
      add_first(list_for(bytes), page);
    }
  }

  unsigned pages() const {
    unsigned count = 0;
    for (const ModelPage& page : pages_) count += page.address != 0 ? 1 : 0;
    return count;
  }

 private:
  struct ModelPage {
    uintptr_t address;
    unsigned list;
    unsigned free_units;
    bool is_free[kSlobUnits];
  };
  struct Ring {
    unsigned count;
    ModelPage* page[kMostPages];
    const ModelPage* guests;  // where a request that belongs to another list begins

    unsigned index_of(const ModelPage* wanted) const {
      unsigned i = 0;
      while (i != count && page[i] != wanted) ++i;
      return i;
    }
    unsigned before(unsigned i) const { return (i == 0 ? count : i) - 1; }
  };

  static unsigned list_for(size_t bytes) { return bytes < 256 ? 0 : bytes < 1024 ? 1 : 2; }

  static unsigned first_fit(const ModelPage& page, size_t bytes, size_t align, size_t align_at) {
    const auto units = static_cast<unsigned>((bytes + 1) / 2);
    for (unsigned at = 0; at + units <= kSlobUnits; ++at) {
      if ((at * 2 + align_at) % align != 0) continue;
      unsigned length = 0;
      while (length != units && page.is_free[at + length]) ++length;
      if (length == units) return at;
    }
    return kSlobUnits;
  }

  ModelPage* find(uintptr_t address) {
    for (ModelPage& page : pages_) {
      if (page.address == address) return &page;
    }
    return nullptr;
  }
  ModelPage* new_page(uintptr_t address) {
    ModelPage* page = find(0);
    page->address = address;
    page->free_units = kSlobUnits;
    for (bool& free : page->is_free) free = true;
    return page;
  }
  static void set(ModelPage& page, uintptr_t address, size_t bytes, bool free) {
    const auto at = static_cast<unsigned>(address % kPageBytes / 2);
    const auto units = static_cast<unsigned>((bytes + 1) / 2);
    for (unsigned i = at; i != at + units; ++i) page.is_free[i] = free;
    page.free_units += free ? units : -units;
  }
  void add_first(unsigned list, ModelPage& page) {
    Ring& ring = ring_[list];
    page.list = list;
    if (ring.count == 0) ring.guests = &page;
    for (unsigned i = ring.count++; i != 0; --i) ring.page[i] = ring.page[i - 1];
    ring.page[0] = &page;
  }
  void remove(ModelPage& page) {
    Ring& ring = ring_[page.list];
    unsigned i = ring.index_of(&page);
    if (ring.guests == &page) ring.guests = ring.page[ring.before(i)];
    for (--ring.count; i != ring.count; ++i) ring.page[i] = ring.page[i + 1];
  }
  void turn(unsigned list, const ModelPage& page) {
    Ring& ring = ring_[list];
    while (ring.page[0] != &page) {
      ModelPage* first = ring.page[0];
      for (unsigned i = 1; i != ring.count; ++i) ring.page[i - 1] = ring.page[i];
      ring.page[ring.count - 1] = first;
    }
  }

  ModelPage pages_[kMostPages] = {};
  Ring ring_[kLists] = {};
};

class SlobModel {
 public:
  explicit SlobModel(uint64_t seed) : random_(seed) {}

  void run() {
    REQUIRE(system_.boot());
    // Their names are objects too.
    for (unsigned i = 0; i != kCaches; ++i) create(i);
    for (unsigned i = 0; i != harness::operations(kOperations) && harness::run.failures == 0; ++i) {
      if (random_.one_in(500)) alloc_percent_ = random_.between(25, 75);
      random_.below(100) < alloc_percent_ ? alloc() : free_one();
      if (i % 1000 == 0) validate();
    }
    while (count_ != 0) free_one();
    validate();
  }

 private:
  struct Object {
    unsigned char* memory;
    size_t bytes;
    KmemCache* cache;  // null: of kmalloc
  };

  void create(unsigned i) {
    static constexpr size_t kSizes[kCaches] = {24, 72, 250, 600, 1128, 2500};
    static constexpr uint32_t kAligns[kCaches] = {8, 64, 4, 16, 8, 128};
    const size_t descriptor = size_t{1} << (ilog2(sizeof(KmemCache) - 1) + 1);
    constexpr size_t kNameBytes = sizeof(quarry::CacheName) + sizeof("model");
    const Rules::Block name = expect_kmalloc(kNameBytes);
    caches_[i] = system_.kmem.create({.name = "model", .bytes = kSizes[i], .align = kAligns[i]}, 0);
    REQUIRE(caches_[i] != nullptr);
    confirm(caches_[i]->names, kNameBytes, kHeaderBytes, name);
    const Rules::Block itself = expect_kmalloc(descriptor);
    confirm(caches_[i], descriptor, kHeaderBytes, itself);
  }

  Rules::Block expect_kmalloc(size_t bytes) const {
    const size_t align = bytes > 8 && is_power_of_two(bytes) ? bytes : 8;
    return rules_.take(bytes + kHeaderBytes, align, kHeaderBytes);
  }

  // `memory` has to be where the rules wanted it.
  void confirm(void* memory, size_t bytes, size_t header, const Rules::Block& wanted) {
    REQUIRE(memory != nullptr);
    const uintptr_t address = reinterpret_cast<uintptr_t>(memory) - header;
    CHECK_EQ(address % kPageBytes / 2, wanted.at);
    if (wanted.page != 0) CHECK_EQ(address - address % kPageBytes, wanted.page);
    const unsigned before = rules_.pages();
    rules_.note_taken(address, bytes + header);
    CHECK_EQ(rules_.pages() - before, wanted.page == 0 ? 1U : 0U);
  }

  size_t draw_bytes() {
    switch (random_.below(6)) {
      case 0:
        return size_t{1} << random_.below(12);
      case 1:
        return random_.between(1, 4087);
      case 2:
        return random_.between(200, 1200);
      default:
        return random_.between(1, 200);
    }
  }

  void alloc() {
    if (count_ == kMostObjects) return;
    Object object{nullptr, draw_bytes(),
                  random_.one_in(3) ? caches_[random_.below(kCaches)] : nullptr};
    if (object.cache != nullptr) {
      object.bytes = object.cache->object_size;
      const Rules::Block wanted = rules_.take(object.bytes, object.cache->align, 0);
      object.memory =
          static_cast<unsigned char*>(system_.kmem.alloc(*object.cache, gfp::kKernel, 0));
      confirm(object.memory, object.bytes, 0, wanted);
    } else {
      const Rules::Block wanted = expect_kmalloc(object.bytes);
      object.memory =
          static_cast<unsigned char*>(system_.kmem.kmalloc(object.bytes, gfp::kKernel, 0));
      confirm(object.memory, object.bytes, kHeaderBytes, wanted);
    }
    if (harness::run.failures != 0) return;
    for (size_t i = 0; i != object.bytes; ++i) object.memory[i] = pattern(object, i);
    objects_[count_++] = object;
  }

  void free_one() {
    if (count_ == 0) return;
    const unsigned index = random_.below(count_);
    const Object object = objects_[index];
    objects_[index] = objects_[--count_];
    size_t wrong = 0;
    for (size_t i = 0; i != object.bytes; ++i) wrong += object.memory[i] != pattern(object, i);
    CHECK_EQ(wrong, 0U);
    const size_t header = object.cache != nullptr ? 0 : kHeaderBytes;
    if (object.cache != nullptr) {
      system_.kmem.free(*object.cache, object.memory, 0);
    } else {
      system_.kmem.kfree(object.memory, 0);
    }
    rules_.note_freed(reinterpret_cast<uintptr_t>(object.memory) - header, object.bytes + header);
  }

  static unsigned char pattern(const Object& object, size_t at) {
    return static_cast<unsigned char>(reinterpret_cast<uintptr_t>(object.memory) / 8 + at * 7);
  }

  void validate() {
    FixedText<256> problem;
    if (!system_.kmem.validate(problem)) harness::fail(__FILE__, __LINE__, problem.c_str());
    CHECK_EQ(system_.kmem.slab_pages(), rules_.pages());
  }

  Random random_;
  unsigned alloc_percent_ = 70;
  SlobSystem system_;
  Rules rules_;
  KmemCache* caches_[kCaches];
  Object objects_[kMostObjects];
  unsigned count_ = 0;
};

QUARRY_TEST(SlobModel, every_block_comes_from_where_the_rules_say) {
  SlobModel model(harness::seed());
  model.run();
}

}  // namespace
}  // namespace quarry
