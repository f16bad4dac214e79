// SPDX-License-Identifier: MIT
// /proc/vmallocinfo: "0x%p-0x%p %7ld", the caller, then what the area is; from the lowest address
// on, without the areas' addresses, which differ from process to process.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::kPageBytes;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

// The line of the area at `start`, checked against the pattern, without addresses and caller.
void check_line(Machine& m, const void* start, size_t bytes, const char* wanted) {
  FixedText<4096> text;
  m->vmallocinfo(text);
  FixedText<64> head;
  const auto address = reinterpret_cast<uintptr_t>(start);
  format(head, "0x%016x-0x%016x %7u ", address, address + bytes, bytes);
  const char* line = __builtin_strstr(text.c_str(), head.c_str());
  REQUIRE(line != nullptr);
  CHECK(line == text.c_str() || line[-1] == '\n');
  // The caller: this test, "symbol+0xoffset/0xsize" or an address.
  line += head.size();
  const char* const caller = line;
  while (*line != ' ' && *line != '\n') ++line;
  CHECK(line != caller);
  CHECK(__builtin_strncmp(caller, "0x", 2) == 0 ||
        (__builtin_strstr(caller, "+0x") != nullptr && __builtin_strstr(caller, "+0x") < line));
  REQUIRE(*line == ' ');
  FixedText<256> rest;
  rest.write(line + 1, static_cast<size_t>(__builtin_strchr(line, '\n') - line - 1));
  CHECK_TEXT(rest.c_str(), wanted);
}

// The line of an area that has ended: its addresses wait for the next one of that size.
void check_unpurged(Machine& m, const void* start, size_t bytes) {
  FixedText<4096> text;
  m->vmallocinfo(text);
  FixedText<128> line;
  const auto address = reinterpret_cast<uintptr_t>(start);
  format(line, "0x%016x-0x%016x %7u unpurged vm_area\n", address, address + bytes, bytes);
  CHECK(__builtin_strstr(text.c_str(), line.c_str()) != nullptr);
}

QUARRY_TEST(Vmallocinfo, of_every_kind_of_area) {
  Machine m{.nodes = 2, .mib = 64, .cpus = 2};
  void* area = m->vmalloc(3 * kPageBytes);
  void* remote = m->vmalloc(10 * kPageBytes, gfp::kKernel, quarry::NodeId{1});
  void* either = m->kvmalloc(8 * quarry::kMiB, gfp::kKernel | gfp::kNoWarn);
  void* reserved = m->reserve_area(5 * kPageBytes, 1);
  Page* page = m->alloc_pages(gfp::kKernel, Order{0});
  Page* const pages[] = {page, page};
  void* mapped = m->vmap(pages);
  check_line(m, area, 4 * kPageBytes, "pages=3 vmalloc N0=3");
  check_line(m, remote, 11 * kPageBytes, "pages=10 vmalloc N1=10");
  check_line(m, either, 2049 * kPageBytes, "pages=2048 vmalloc vpages N0=2048");
  check_line(m, reserved, 6 * kPageBytes, "ioremap");
  check_line(m, mapped, 3 * kPageBytes, "vmap");
  m->vunmap(mapped);
  m->put_page(page);
  m->free_area(reserved);
  m->kvfree(either);
  m->vfree(remote);
  m->vfree(area);
  check_unpurged(m, area, 4 * kPageBytes);
  check_unpurged(m, mapped, 3 * kPageBytes);
  m->vm_unmap_aliases();
  FixedText<64> text;
  m->vmallocinfo(text);
  CHECK_EQ(text.size(), 0U);
}

QUARRY_TEST(Vmallocinfo, goes_from_the_lowest_address_to_the_highest) {
  Machine m;
  void* areas[20];
  for (size_t i = 0; i != std::size(areas); ++i) {
    areas[i] = m->reserve_area((i % 3 + 1) * kPageBytes, kPageBytes << i % 4);
  }
  FixedText<8192> text;
  m->vmallocinfo(text);
  size_t lines = 0;
  const char* before = "";
  for (const char* line = text.c_str(); *line != '\0'; ++lines) {
    CHECK(__builtin_strncmp(before, line, 18) < 0);  // digits of equal number sort as numbers
    before = line;
    line = __builtin_strchr(line, '\n') + 1;
  }
  CHECK_EQ(lines, std::size(areas));
  for (void* area : areas) m->free_area(area);
}

}  // namespace
