// SPDX-License-Identifier: MIT
// What an address is, in the kernel's words (mem_dump_obj).
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::KmemCache;
namespace gfp = quarry::gfp;

void check_description(Machine& m, const void* address, const char* wanted) {
  FixedText<256> text;
  m->describe(address, text);
  CHECK_TEXT(text.c_str(), wanted);
}

QUARRY_TEST(Describe, objects_of_caches) {
  Machine m;
  KmemCache* cache = m->cache_create("described", 700, {.align = 64});
  REQUIRE(cache != nullptr);
  void* objects[40];
  for (void*& object : objects) {
    object = m->cache_alloc(cache, gfp::kKernel);
    REQUIRE(object != nullptr);
  }
  for (void* object : objects) {
    for (const size_t offset : {0, 1, 699, 703}) {
      FixedText<256> wanted;
      format(wanted, " slab described start %p pointer offset %zu size 700\n", object, offset);
      check_description(m, static_cast<char*>(object) + offset, wanted.c_str());
    }
  }
  m->cache_free_bulk(cache, objects);
  m->cache_destroy(cache);
}

// Lines that name functions are this world's; what stands around them is Linux's.
QUARRY_TEST(Describe, objects_tell_who_had_them) {
  Machine m{.engine = quarry::SlabEngineKind::kSlub, .slub_debug = "U"};
  KmemCache* cache = m->cache_create("owned", 64, {});
  REQUIRE(cache != nullptr);
  auto* object = static_cast<char*>(m->cache_alloc(cache, gfp::kKernel));
  FixedText<2048> text;
  m->describe(object + 3, text);
  FixedText<256> wanted;
  format(wanted, " slab owned start %p pointer offset 3 size 64 allocated at ",
         static_cast<void*>(object));
  CHECK(__builtin_strncmp(text.c_str(), wanted.c_str(), wanted.size()) == 0);
  CHECK(harness::find_text(text.c_str(), "\n    ") != nullptr);
  CHECK(harness::find_text(text.c_str(), " Free path:\n") == nullptr);
  m->cache_free(cache, object);
  CHECK(m->cache_alloc(cache, gfp::kKernel) == object);
  text.clear();
  m->describe(object, text);
  CHECK(harness::find_text(text.c_str(), "\n Free path:\n    ") != nullptr);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(Describe, everything_else) {
  Machine m;
  auto* area = static_cast<char*>(m->vmalloc(8000));
  void* page = m->get_free_pages(gfp::kKernel, quarry::Order(0));
  REQUIRE(area != nullptr && page != nullptr);
  FixedText<256> text;
  m->describe(area + 5000, text);
  FixedText<256> wanted;
  format(wanted, " 2-page vmalloc region starting at %#lx allocated at ",
         reinterpret_cast<uintptr_t>(area));
  CHECK(__builtin_strncmp(text.c_str(), wanted.c_str(), wanted.size()) == 0);
  check_description(m, area + 500'000, " vmalloc memory\n");
  check_description(m, page, " non-slab/vmalloc memory\n");
  check_description(m, nullptr, " NULL pointer\n");
  check_description(m, quarry::kZeroSizePtr, " zero-size pointer\n");
  check_description(m, &text, " non-paged memory\n");
  m->vfree(area);
  m->free_pages_at(page, quarry::Order(0));
}

}  // namespace
