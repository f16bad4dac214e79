// SPDX-License-Identifier: MIT
// The public calls about pages: what they add to the page allocator, which has its own tests.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::kPageBytes;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
using quarry::Pfn;
namespace gfp = quarry::gfp;

QUARRY_TEST(Pages, descriptor_number_and_address_lead_to_each_other) {
  Machine m{.nodes = 2, .cpus = 2};
  for (int node = 0; node != 2; ++node) {
    Page* page = m->alloc_pages(gfp::kKernel, Order{3}, NodeId(node));
    REQUIRE(page != nullptr);
    const Pfn pfn = m->page_to_pfn(page);
    CHECK(m->pfn_valid(pfn));
    CHECK(m->pfn_to_page(pfn) == page);
    CHECK(m->pfn_to_page(pfn + 5) == page + 5);
    auto* address = static_cast<unsigned char*>(m->page_address(page));
    CHECK(m->virt_to_page(address) == page);
    CHECK(m->virt_to_page(address + 5 * kPageBytes + 17) == page + 5);
    CHECK(m->page_address(page + 1) == address + kPageBytes);
    CHECK_EQ(m->page_node(page), NodeId(node));
    m->free_pages(page, Order{3});
  }
  CHECK(!m->pfn_valid(Pfn(64 * 256)));
  int outside = 0;
  CHECK(m->virt_to_page(&outside) == nullptr);
}

QUARRY_TEST(Pages, a_compound_block_knows_its_head) {
  Machine m;
  Page* page = m->alloc_pages(gfp::kKernel | gfp::kComp, Order{2});
  REQUIRE(page != nullptr);
  for (int i = 0; i != 4; ++i) CHECK(m->compound_head(page + i) == page);
  m->free_pages(page, Order{2});
  page = m->alloc_pages(gfp::kKernel, Order{2});
  for (int i = 0; i != 4; ++i) CHECK(m->compound_head(page + i) == page + i);
  m->free_pages(page, Order{2});
}

QUARRY_TEST(Pages, by_address) {
  Machine m;
  auto* memory = static_cast<unsigned char*>(
      m->get_free_pages(gfp::kKernel | gfp::kHighmemBit | gfp::kZero, Order{1}));
  REQUIRE(memory != nullptr);
  for (size_t i = 0; i != 2 * kPageBytes; ++i) CHECK_EQ(memory[i], 0);
  m->free_pages_at(memory, Order{1});
  m->free_pages_at(nullptr, Order{5});
  CHECK(m.log.empty());
  int outside = 0;
  m->free_pages_at(&outside, Order{0});
  CHECK(m.reported("which is no page"));
}

QUARRY_TEST(Pages, a_reference_keeps_a_page) {
  Machine m;
  Page* page = m->alloc_pages(gfp::kKernel, Order{0});
  const uint64_t free_before = m->free_page_count();
  m->get_page(page);
  m->free_pages(page, Order{0});
  CHECK_EQ(m->free_page_count(), free_before);
  m->put_page(page);
  CHECK_EQ(m->free_page_count(), free_before + 1);
}

}  // namespace
