// SPDX-License-Identifier: MIT
// The same calls on two simulated machines of the same make lead to the same frames, objects and
// free lists.
#include "base/random.h"
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FreeBlock;
using quarry::Order;
using quarry::Page;
using quarry::Random;
namespace gfp = quarry::gfp;

class Hash {
 public:
  void add(uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3U; }
  [[nodiscard]] uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325U;
};

// What a play leads to, without any address of this process.
uint64_t play(unsigned cpus, uint64_t seed) {
  Machine m{.nodes = 2, .mib = 64, .cpus = cpus, .seed = 5};
  const auto base = reinterpret_cast<uintptr_t>(m->page_address(m->pfn_to_page(quarry::Pfn{0})));
  const auto areas = m.platform.vmalloc_start().value();
  Random random(seed);
  Hash hash;
  void* objects[300] = {};
  Page* pages[100] = {};
  void* mapped[20] = {};
  for (int i = 0; i != 20000; ++i) {
    m.on_cpu(random.below(cpus));
    void*& object = objects[random.below(std::size(objects))];
    m->kfree(object);
    object = m->kmalloc(random.between(1, 3000), gfp::kKernel);
    hash.add(reinterpret_cast<uintptr_t>(object) - base);
    if (i % 4 == 0) {
      Page*& page = pages[random.below(std::size(pages))];
      if (page != nullptr) m->put_page(page);
      page = m->alloc_pages(gfp::kKernel | gfp::kComp, Order(random.below(5)));
      hash.add(m->page_to_pfn(page).value());
    }
    if (i % 32 == 0) {
      void*& area = mapped[random.below(std::size(mapped))];
      m->vfree(area);
      area = m->vmalloc(random.between(1, 100000));
      hash.add(reinterpret_cast<uintptr_t>(area) - areas);
    }
  }
  m->for_each_free_block(
      [](void* context, const FreeBlock& block) {
        static_cast<Hash*>(context)->add(block.pfn.value() * uint64_t{16} + block.order.value());
      },
      &hash);
  for (void* object : objects) m->kfree(object);
  for (Page* page : pages) {
    if (page != nullptr) m->put_page(page);
  }
  for (void* area : mapped) m->vfree(area);
  return hash.value();
}

QUARRY_TEST(Repeatable, same_machine_same_calls_same_layout) {
  const uint64_t hash = play(2, 7);
  CHECK_EQ(play(2, 7), hash);
  CHECK(play(2, 8) != hash);
  CHECK(play(4, 7) != hash);
}

}  // namespace
