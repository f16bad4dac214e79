// SPDX-License-Identifier: MIT
// /proc/slabinfo, version 2.1: "%-17s %6lu %6lu %6u %4u %4d : tunables %4u %4u %4u : slabdata %6lu
// %6lu %6lu", the newest cache first.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FixedText;
using quarry::KmemCache;
namespace gfp = quarry::gfp;

constexpr const char* kHead =
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
    " : tunables <limit> <batchcount> <sharedfactor>"
    " : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

// The rows of a kernel with two CPUs whose caches are empty (Linux 6.18 on the machine that
// recorded the bundled traces), in Linux 6.1's order.
constexpr const char* kEmptyTypes =
    "kmalloc-cg-8k          0      0   8192    4    8 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-4k          0      0   4096    8    8 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-2k          0      0   2048   16    8 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-1k          0      0   1024   16    4 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-512         0      0    512   16    2 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-256         0      0    256   16    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-192         0      0    192   21    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-128         0      0    128   32    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-96          0      0     96   42    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-64          0      0     64   64    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-32          0      0     32  128    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-16          0      0     16  256    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "kmalloc-cg-8           0      0      8  512    1 : tunables    0    0    0 : slabdata   "
    "   0      0      0\n"
    "dma-kmalloc-8k         0      0   8192    4    8 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-4k         0      0   4096    8    8 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-2k         0      0   2048   16    8 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-1k         0      0   1024   16    4 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-512        0      0    512   16    2 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-256        0      0    256   16    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-192        0      0    192   21    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-128        0      0    128   32    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-96         0      0     96   42    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-64         0      0     64   64    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-32         0      0     32  128    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-16         0      0     16  256    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "dma-kmalloc-8          0      0      8  512    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-8k         0      0   8192    4    8 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-4k         0      0   4096    8    8 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-2k         0      0   2048   16    8 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-1k         0      0   1024   16    4 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-512        0      0    512   16    2 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-256        0      0    256   16    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-192        0      0    192   21    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-128        0      0    128   32    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-96         0      0     96   42    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-64         0      0     64   64    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-32         0      0     32  128    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-16         0      0     16  256    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n"
    "kmalloc-rcl-8          0      0      8  512    1 : tunables    0    0    0 : slabdata      0  "
    "    0      0\n";

QUARRY_TEST(Slabinfo, of_a_machine_of_two_cpus) {
  Machine m{.cpus = 2};
  KmemCache* cache = m->cache_create("a_name_longer_than_its_column", 320);
  REQUIRE(cache != nullptr);
  void* objects[30];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  void* pages = m->kmalloc(8192, gfp::kKernel);
  m.give_back_all();  // arrays hold nothing: what is active has a user
  FixedText<8192> text;
  m->slabinfo(text);

  FixedText<8192> wanted;
  format(wanted, "%s%s%s%s", kHead,
         "a_name_longer_than_its_column     30     36    320   12    1 : tunables    0    0    0 : "
         "slabdata      3      3      0\n",
         kEmptyTypes,
         // One object is vmalloc's own, one the name of the cache.
         "kmalloc-8k             1      4   8192    4    8 : tunables    0    0    0 : slabdata    "
         "  1      1      0\n"
         "kmalloc-4k             0      0   4096    8    8 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-2k             0      0   2048   16    8 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-1k             0      0   1024   16    4 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-512            0      0    512   16    2 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-256            0      0    256   16    1 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-192            0      0    192   21    1 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-128            0      0    128   32    1 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-96             1     42     96   42    1 : tunables    0    0    0 : slabdata    "
         "  1      1      0\n"
         "kmalloc-64             1     64     64   64    1 : tunables    0    0    0 : slabdata    "
         "  1      1      0\n"
         "kmalloc-32             0      0     32  128    1 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-16             0      0     16  256    1 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n"
         "kmalloc-8              0      0      8  512    1 : tunables    0    0    0 : slabdata    "
         "  0      0      0\n");
  CHECK_TEXT(text.c_str(), wanted.c_str());
  CHECK(!text.truncated());

  m->kfree(pages);
  m->cache_free_bulk(cache, objects);
  m->cache_destroy(cache);
}

// Rows of SLAB, behind their names. With two CPUs; arrays and shared arrays are as Linux sizes
// them.
struct SlabRow {
  const char* size;
  const char* text;
};
constexpr SlabRow kEmptySlabRows[] = {
    {"8k",
     "      0      0   8192    1    2 : tunables    8    4    0 : slabdata      0      0      0"},
    {"4k",
     "      0      0   4096    1    1 : tunables   24   12    8 : slabdata      0      0      0"},
    {"2k",
     "      0      0   2048    2    1 : tunables   24   12    8 : slabdata      0      0      0"},
    {"1k",
     "      0      0   1024    4    1 : tunables   54   27    8 : slabdata      0      0      0"},
    {"512",
     "      0      0    512    8    1 : tunables   54   27    8 : slabdata      0      0      0"},
    {"256",
     "      0      0    256   16    1 : tunables  120   60    8 : slabdata      0      0      0"},
    {"192",
     "      0      0    192   21    1 : tunables  120   60    8 : slabdata      0      0      0"},
    {"128",
     "      0      0    128   32    1 : tunables  120   60    8 : slabdata      0      0      0"},
    {"96",
     "      0      0     96   42    1 : tunables  120   60    8 : slabdata      0      0      0"},
    {"64",
     "      0      0     64   64    1 : tunables  120   60    8 : slabdata      0      0      0"},
    {"32",
     "      0      0     32  124    1 : tunables  120   60    8 : slabdata      0      0      0"},
};

void write_empty_rows(quarry::TextSink& out, const char* prefix) {
  for (const SlabRow& row : kEmptySlabRows) {
    FixedText<20> name;
    format(name, "%s-%s", prefix, row.size);
    format(out, "%-17s %s\n", name.c_str(), row.text + 1);
  }
}

// Objects in arrays are active; those of the shared one are told at the end of the row, too.
QUARRY_TEST(Slabinfo, of_slab_on_a_machine_of_two_cpus) {
  Machine m{.cpus = 2, .engine = quarry::SlabEngineKind::kSlab};
  KmemCache* cache = m->cache_create("a_name_longer_than_its_column", 320);
  REQUIRE(cache != nullptr);
  void* objects[120];
  for (void*& object : objects) object = m->cache_alloc(cache, gfp::kKernel);
  void* pages = m->kmalloc(8192, gfp::kKernel);
  m.give_back_all();
  // 54 fill the array; then batches of 27 go into the shared one.
  for (void* object : std::span(objects).first(90)) m->cache_free(cache, object);
  CHECK_EQ(m->write_slabinfo({"kmalloc-256 100 20 4", 20}), quarry::FileWrite::kDone);
  FixedText<8192> text;
  m->slabinfo(text);

  FixedText<8192> wanted;
  format(wanted, "%s%s", kHead,
         "a_name_longer_than_its_column    120    120    320   12    1 : tunables   54   27    8 : "
         "slabdata     10     10     54\n");
  write_empty_rows(wanted, "kmalloc-cg");
  write_empty_rows(wanted, "dma-kmalloc");
  write_empty_rows(wanted, "kmalloc-rcl");
  // One object is vmalloc's own, one the name of the cache.
  format(wanted, "%s",
         "kmalloc-8k             1      1   8192    1    2 : tunables    8    4    0 : slabdata    "
         "  1      1      0\n"
         "kmalloc-4k             0      0   4096    1    1 : tunables   24   12    8 : slabdata    "
         "  0      0      0\n"
         "kmalloc-2k             0      0   2048    2    1 : tunables   24   12    8 : slabdata    "
         "  0      0      0\n"
         "kmalloc-1k             0      0   1024    4    1 : tunables   54   27    8 : slabdata    "
         "  0      0      0\n"
         "kmalloc-512            0      0    512    8    1 : tunables   54   27    8 : slabdata    "
         "  0      0      0\n"
         "kmalloc-256            0      0    256   16    1 : tunables  100   20    4 : slabdata    "
         "  0      0      0\n"
         "kmalloc-192            0      0    192   21    1 : tunables  120   60    8 : slabdata    "
         "  0      0      0\n"
         "kmalloc-128            0      0    128   32    1 : tunables  120   60    8 : slabdata    "
         "  0      0      0\n"
         "kmalloc-96             1     42     96   42    1 : tunables  120   60    8 : slabdata    "
         "  1      1      0\n"
         "kmalloc-64             1     64     64   64    1 : tunables  120   60    8 : slabdata    "
         "  1      1      0\n"
         "kmalloc-32             0      0     32  124    1 : tunables  120   60    8 : slabdata    "
         "  0      0      0\n");
  CHECK_TEXT(text.c_str(), wanted.c_str());
  CHECK(!text.truncated());

  // What lies in arrays is given back, and its slabs.
  m->cache_shrink(cache);
  FixedText<8192> shrunk;
  m->slabinfo(shrunk);
  CHECK(harness::find_text(shrunk.c_str(),
                           "\na_name_longer_than_its_column     30     36    320   12    1 : "
                           "tunables   54   27    8 : slabdata      3      3      0\n") != nullptr);

  m->kfree(pages);
  m->cache_free_bulk(cache, std::span(objects).subspan(90));
  m->cache_destroy(cache);
}

// SLOB has no slabs to tell of, and Linux no such file with it.
QUARRY_TEST(Slabinfo, of_slob) {
  Machine m{.engine = quarry::SlabEngineKind::kSlob};
  FixedText<256> text;
  m->slabinfo(text);
  CHECK_TEXT(text.c_str(), "slabinfo: SLOB keeps no books on caches\n");
}

// The row of the cache that was made last.
void check_first_row(Machine& m, const char* wanted) {
  FixedText<8192> text;
  m->slabinfo(text);
  const char* row = text.c_str() + __builtin_strlen(kHead);
  FixedText<256> first;
  first.write(row, static_cast<size_t>(__builtin_strchr(row, '\n') + 1 - row));
  CHECK_TEXT(first.c_str(), wanted);
}

// Free objects of partial slabs are not active; those that CPUs keep are, as in Linux those of the
// CPUs' slabs.
QUARRY_TEST(Slabinfo, counts_what_cpus_keep_as_active) {
  Machine m;
  KmemCache* cache = m->cache_create("kept", 1024);
  REQUIRE(cache != nullptr);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  const quarry::CacheInfo info = quarry::MemorySystem::cache_info(*cache);
  CHECK_EQ(info.cached_objects, info.array_capacity / 2 - 1);  // a refill: one stack of the array
  FixedText<256> row;
  format(row,
         "kept              %6u      8   1024    8    2 : tunables    0    0    0 : slabdata"
         "      1      1      0\n",
         info.cached_objects + 1);
  check_first_row(m, row.c_str());
  CHECK(!m->cache_shrink(cache));
  check_first_row(m,
                  "kept                   1      8   1024    8    2 : tunables    0    0    0 : "
                  "slabdata      1      1      0\n");
  m->cache_free(cache, object);
  CHECK(m->cache_shrink(cache));
  check_first_row(m,
                  "kept                   0      0   1024    8    2 : tunables    0    0    0 : "
                  "slabdata      0      0      0\n");
  m->cache_destroy(cache);
}

}  // namespace
