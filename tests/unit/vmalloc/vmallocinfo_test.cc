// SPDX-License-Identifier: MIT
#include "machine.h"

namespace {

using harness::Machine;
using quarry::kPageBytes;
using quarry::NodeId;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

// One line as the kernel writes it; the caller's name is the platform's affair.
void expect_line(quarry::TextSink& out, Machine& m, const void* area, size_t bytes,
                 const void* caller, const char* rest) {
  char name[160];
  m.platform.symbolize(reinterpret_cast<uintptr_t>(caller), name);
  quarry::format(out, "0x%p-0x%p %7u %s %s\n", area,
                 static_cast<const void*>(static_cast<const char*>(area) + bytes), bytes,
                 static_cast<const char*>(name), rest);
}

void expect_unpurged(quarry::TextSink& out, const void* area, size_t bytes) {
  quarry::format(out, "0x%p-0x%p %7u unpurged vm_area\n", area,
                 static_cast<const void*>(static_cast<const char*>(area) + bytes), bytes);
}

QUARRY_TEST(Vmallocinfo, has_the_kernels_format) {
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  quarry::Vmalloc& vmalloc = m.core().vmalloc;
  const auto place = reinterpret_cast<uintptr_t>(&vmalloc);
  const void* const caller = &vmalloc;
  void* one = vmalloc.alloc(100, gfp::kKernel, NodeId(0), place);
  void* other = vmalloc.alloc(3 * kPageBytes, gfp::kKernel, NodeId(1), place);
  void* reserved = vmalloc.reserve_area(2 * kPageBytes, 1, place);
  Page* pages[] = {m->alloc_pages(gfp::kKernel, Order(0))};
  void* mapped = vmalloc.map_pages(pages, quarry::MapAccess::kReadWrite, place);
  void* large = vmalloc.alloc(1025 * kPageBytes, gfp::kKernel, NodeId(0), place);
  void* numbers = static_cast<char*>(large) + 1026 * kPageBytes;

  quarry::FixedText<2048> got;
  m->vmallocinfo(got);
  quarry::FixedText<2048> wanted;
  expect_line(wanted, m, one, 2 * kPageBytes, caller, "pages=1 vmalloc N0=1");
  expect_line(wanted, m, other, 4 * kPageBytes, caller, "pages=3 vmalloc N1=3");
  expect_line(wanted, m, reserved, 3 * kPageBytes, caller, "ioremap");
  expect_line(wanted, m, mapped, 2 * kPageBytes, caller, "vmap");
  expect_line(wanted, m, large, 1026 * kPageBytes, caller, "pages=1025 vmalloc vpages N0=1025");
  expect_line(wanted, m, numbers, 3 * kPageBytes, caller, "pages=2 vmalloc N0=2");
  CHECK_TEXT(got.c_str(), wanted.c_str());

  m->vfree(large);
  m->vunmap(mapped);
  m->free_pages(pages[0], Order(0));
  m->free_area(reserved);
  m->vfree(other);
  // What has ended comes last. Areas beyond 256 pages are not kept.
  got.clear();
  m->vmallocinfo(got);
  wanted.clear();
  expect_line(wanted, m, one, 2 * kPageBytes, caller, "pages=1 vmalloc N0=1");
  expect_unpurged(wanted, other, 4 * kPageBytes);
  expect_unpurged(wanted, reserved, 3 * kPageBytes);
  expect_unpurged(wanted, mapped, 2 * kPageBytes);
  expect_unpurged(wanted, numbers, 3 * kPageBytes);
  CHECK_TEXT(got.c_str(), wanted.c_str());

  m->vfree(one);
  m->vm_unmap_aliases();
  got.clear();
  m->vmallocinfo(got);
  CHECK_EQ(got.size(), 0U);
}

}  // namespace
