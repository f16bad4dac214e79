// SPDX-License-Identifier: MIT
// SLOB as its users see it: where blocks come from, headers, pages, what is noticed.
#include "kmem/slob/slob_blocks.h"
#include "machine.h"

namespace {

using harness::Machine;
using quarry::KmemCache;
using quarry::kPageBytes;
using quarry::Order;
using quarry::SlabEngineKind;
namespace gfp = quarry::gfp;

struct SlobMachine : Machine {
  explicit SlobMachine(unsigned node_count = 1)
      : Machine{.nodes = node_count, .engine = SlabEngineKind::kSlob} {}

  unsigned char* get(size_t bytes, quarry::Gfp bits = gfp::kKernel) {
    return static_cast<unsigned char*>(system.kmalloc(bytes, bits));
  }
  uint64_t new_pages() { return system.slab_page_count() - idle_slab_pages; }
};

size_t offset(const void* object) { return reinterpret_cast<uintptr_t>(object) % kPageBytes; }
bool same_page(const void* a, const void* b) {
  return reinterpret_cast<uintptr_t>(a) / kPageBytes == reinterpret_cast<uintptr_t>(b) / kPageBytes;
}

QUARRY_TEST(Slob, objects_of_all_sizes_share_a_page_behind_headers_of_eight_bytes) {
  SlobMachine m;
  unsigned char* first = m.get(300);
  unsigned char* second = m.get(261);
  unsigned char* third = m.get(500);
  // In units of two bytes; what kmalloc returns is aligned to eight.
  CHECK_EQ(second - first, 312);
  CHECK_EQ(third - second, 272);
  CHECK(same_page(first, third));
  CHECK_EQ(*reinterpret_cast<uint32_t*>(first - 8), 300U);
  CHECK_EQ(*reinterpret_cast<uint32_t*>(second - 8), 261U);
  for (void* object : {first, second, third}) m->kfree(object);
}

QUARRY_TEST(Slob, lists_are_of_blocks_below_256_and_1024_bytes_and_a_page) {
  SlobMachine m;
  const uint64_t before = m.new_pages();
  // With its header a block of 248 bytes is not below 256 any more.
  unsigned char* object[] = {m.get(247), m.get(248), m.get(1015), m.get(1016), m.get(4087)};
  CHECK(!same_page(object[0], object[1]));
  CHECK(same_page(object[1], object[2]));
  CHECK(!same_page(object[2], object[3]));
  CHECK(!same_page(object[3], object[4]));
  CHECK_EQ(m.new_pages() - before, 3U);  // names and the like have one of the small list
  for (void* one : object) m->kfree(one);
}

QUARRY_TEST(Slob, powers_of_two_are_aligned_to_themselves) {
  SlobMachine m;
  void* objects[88];
  unsigned count = 0;
  for (unsigned round = 0; round != 4; ++round) {
    for (size_t bytes = 8; bytes <= 8192; bytes *= 2) {
      objects[count++] = m.get(3 * round + 1);
      void* object = objects[count++] = m.get(bytes);
      CHECK_EQ(reinterpret_cast<uintptr_t>(object) % bytes, 0U);
    }
  }
  while (count != 0) m->kfree(objects[--count]);
}

QUARRY_TEST(Slob, usable_bytes_are_whole_units_and_agree_with_the_rounding) {
  SlobMachine m;
  for (size_t bytes = 1; bytes <= 8192; bytes += bytes < 200 || bytes > 3900 ? 1 : 37) {
    void* object = m.get(bytes);
    const size_t wanted =
        bytes >= kPageBytes - 8 ? (bytes <= kPageBytes ? kPageBytes : 8192) : (bytes + 1) / 2 * 2;
    CHECK_EQ(m->ksize(object), wanted);
    CHECK_EQ(m->kmalloc_size_roundup(bytes), wanted);
    m->kfree(object);
  }
}

QUARRY_TEST(Slob, from_a_page_less_a_header_on_kmalloc_takes_pages) {
  SlobMachine m;
  unsigned char* object = m.get(kPageBytes - 9);
  CHECK_EQ(offset(object), 8U);
  m->kfree(object);
  const uint64_t before = m.new_pages();
  object = m.get(kPageBytes - 8);
  CHECK_EQ(offset(object), 0U);
  CHECK_EQ(m.new_pages() - before, 1U);
  unsigned char* two = m.get(kPageBytes + 1);
  CHECK_EQ(m.new_pages() - before, 3U);
  CHECK(m->compound_head(m->virt_to_page(two + kPageBytes)) == m->virt_to_page(two));
  m->kfree(two);
  m->kfree(object);
  CHECK_EQ(m.new_pages(), before);
}

QUARRY_TEST(Slob, page_without_objects_goes_back_at_once) {
  SlobMachine m;
  void* objects[40];
  for (void*& object : objects) object = m.get(1000);
  CHECK_EQ(m.new_pages(), 10U);
  for (void* object : objects) m->kfree(object);
  CHECK_EQ(m.new_pages(), 0U);
}

// The ring begins where something was found last.
QUARRY_TEST(Slob, search_goes_on_where_it_found_something) {
  SlobMachine m;
  unsigned char* object[12];
  for (unsigned char*& one : object) one = m.get(1000);  // 4 a page, three pages
  CHECK(same_page(object[0], object[3]) && same_page(object[8], object[11]));
  m->kfree(object[1]);
  m->kfree(object[6]);
  // Those pages were full: the one that got a block last is first.
  unsigned char* again = m.get(1000);
  CHECK(again == object[6]);
  CHECK(m.get(1000) == object[1]);
  // Now the second page has its block back, and the search began with the first.
  m->kfree(object[6]);
  m->kfree(object[10]);
  m->kfree(object[2]);
  CHECK(m.get(1000) == object[2]);
  CHECK(m.get(1000) == object[10]);
  CHECK(m.get(1000) == object[6]);
  for (void* one : object) m->kfree(one);
}

// A request whose own list has no room goes to the pages of longer blocks, oldest first.
QUARRY_TEST(Slob, guests_fill_the_oldest_pages_first_and_go_on_from_there) {
  SlobMachine m;
  KmemCache* large = m->cache_create("large", 3000);
  KmemCache* medium = m->cache_create("medium", 600);
  REQUIRE(large != nullptr && medium != nullptr);
  void* big[3];  // each leaves room for one medium object
  for (void*& one : big) one = m->cache_alloc(large, gfp::kKernel);
  // The first have room in pages of their own list: caches are objects too.
  void* object[12];
  unsigned count = 0;
  do {
    REQUIRE(count != 8);
    object[count] = m->cache_alloc(medium, gfp::kKernel);
  } while (!same_page(object[count++], big[0]));
  for (unsigned i = 1; i != 4; ++i) object[count++] = m->cache_alloc(medium, gfp::kKernel);
  CHECK(same_page(object[count - 3], big[1]) && same_page(object[count - 2], big[2]));
  for (void* one : big) CHECK(!same_page(object[count - 1], one));
  while (count != 0) m->cache_free(medium, object[--count]);
  for (void* one : big) m->cache_free(large, one);
  m->cache_destroy(medium);
  m->cache_destroy(large);
}

QUARRY_TEST(Slob, full_page_joins_the_list_of_the_block_it_gets_back) {
  SlobMachine m;
  KmemCache* large = m->cache_create("large", 4000);
  KmemCache* small = m->cache_create("small", 96);
  REQUIRE(large != nullptr && small != nullptr);
  auto* big = static_cast<unsigned char*>(m->cache_alloc(large, gfp::kKernel));
  // 96 bytes are left; nothing small comes from a page of the large list.
  void* little = m->cache_alloc(small, gfp::kKernel);
  CHECK(!same_page(big, little));
  void* whole[2] = {m->cache_alloc(large, gfp::kKernel), nullptr};
  m->cache_free(large, whole[0]);
  m->cache_free(large, big);
  m->cache_free(small, little);
  m->cache_destroy(large);
  // Three objects that fill a page to the last byte.
  KmemCache* third = m->cache_create("third", 1360);
  KmemCache* rest = m->cache_create("rest", 1376);
  void* three[3] = {m->cache_alloc(third, gfp::kKernel), m->cache_alloc(third, gfp::kKernel),
                    m->cache_alloc(rest, gfp::kKernel)};
  CHECK(same_page(three[0], three[2]));
  m->cache_free(third, three[1]);  // a block of the large list
  void* tiny = m->cache_alloc(small, gfp::kKernel);
  CHECK(!same_page(tiny, three[0]));
  CHECK(m->cache_alloc(third, gfp::kKernel) == three[1]);
  m->cache_free(third, three[0]);
  m->cache_free(third, three[1]);
  m->cache_free(rest, three[2]);
  m->cache_free(small, tiny);
  for (KmemCache* cache : {small, third, rest}) m->cache_destroy(cache);
}

QUARRY_TEST(Slob, objects_of_caches_have_no_header) {
  SlobMachine m;
  KmemCache* cache = m->cache_create("bare", 300, {.align = 4});
  auto* first = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
  auto* second = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
  CHECK_EQ(second - first, sizeof(void*) == 8 ? 304 : 300);  // alignment is a word at least
  CHECK(m->cache_of(first) == nullptr);
  m->cache_free(cache, first);
  m->cache_free(cache, second);
  m->cache_destroy(cache);
}

unsigned constructed;
void construct(void* object) {
  ++constructed;
  *static_cast<unsigned char*>(object) = 0x77;
}

QUARRY_TEST(Slob, constructor_runs_at_each_allocation) {
  SlobMachine m;
  constructed = 0;
  KmemCache* cache = m->cache_create("made", 40, {.ctor = construct});
  for (unsigned i = 1; i != 5; ++i) {
    auto* object = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
    CHECK_EQ(constructed, i);
    CHECK_EQ(*object, 0x77);
    *object = 0;  // nothing has to be restored
    m->cache_free(cache, object);
  }
  m->cache_destroy(cache);
}

QUARRY_TEST(Slob, objects_with_readers_wait_for_them_each_by_itself) {
  for (const size_t bytes : {size_t{50}, 2 * kPageBytes}) {
    SlobMachine m;
    KmemCache* cache = m->cache_create("read", bytes, {.flags = QUARRY_SLAB_TYPESAFE_BY_RCU});
    KmemCache* other = m->cache_create("other", bytes);
    const uint64_t before = m.new_pages();
    auto* object = static_cast<unsigned char*>(m->cache_alloc(cache, gfp::kKernel));
    __builtin_memset(object, 0x77, bytes);
    m->cache_free(cache, object);
    // Nobody gets its memory while readers may look at it, and none of its bytes is touched.
    void* next[40];
    for (size_t i = 0; i != 40; ++i) {
      next[i] = m->cache_alloc(i % 2 == 0 ? cache : other, gfp::kKernel);
      CHECK(next[i] != object);
    }
    size_t wrong = 0;
    for (size_t i = 0; i != bytes; ++i) wrong += object[i] != 0x77 ? 1 : 0;
    CHECK_EQ(wrong, 0U);
    m->cache_free(cache, object);
    CHECK(m.reported("BUG read (Not tainted): Object already free"));
    for (size_t i = 0; i != 40; ++i) m->cache_free(i % 2 == 0 ? cache : other, next[i]);
    m->rcu_barrier();
    CHECK_EQ(m.new_pages(), before);
    m->cache_destroy(cache);
    m->cache_destroy(other);
  }
}

QUARRY_TEST(Slob, objects_of_a_page_or_more_are_pages) {
  SlobMachine m;
  KmemCache* page = m->cache_create("page", kPageBytes);
  KmemCache* large = m->cache_create("large", 5888);
  const uint64_t before = m.new_pages();
  void* one = m->cache_alloc(page, gfp::kKernel);
  CHECK_EQ(m.new_pages() - before, 1U);
  void* two = m->cache_alloc(large, gfp::kKernel | gfp::kZero);
  CHECK_EQ(m.new_pages() - before, 3U);
  CHECK_EQ(offset(one) | offset(two), 0U);
  m->cache_free(page, one);
  m->cache_free(large, two);
  CHECK_EQ(m.new_pages(), before);
  m->cache_destroy(page);
  m->cache_destroy(large);
}

QUARRY_TEST(Slob, alignment_beyond_a_page_is_kept) {
  SlobMachine m;
  KmemCache* cache = m->cache_create("aligned", 100, {.align = 16384});
  void* objects[3];
  for (void*& object : objects) {
    object = m->cache_alloc(cache, gfp::kKernel);
    CHECK_EQ(reinterpret_cast<uintptr_t>(object) % 16384, 0U);
  }
  for (void* object : objects) m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(Slob, zeroed_objects_are_zero_to_the_last_usable_byte) {
  SlobMachine m;
  for (size_t bytes : {size_t{1}, size_t{13}, size_t{64}, size_t{3001}, size_t{4090}}) {
    unsigned char* dirty = m.get(bytes);
    __builtin_memset(dirty, 0xff, m->ksize(dirty));
    m->kfree(dirty);
    unsigned char* object = m.get(bytes, gfp::kKernel | gfp::kZero);
    size_t used = 0;
    for (size_t i = 0; i != m->ksize(object); ++i) used += object[i] != 0 ? 1 : 0;
    CHECK_EQ(used, 0U);
    m->kfree(object);
  }
}

QUARRY_TEST(Slob, nodes_have_pages_of_their_own) {
  SlobMachine m(2);
  void* objects[2];
  for (int node : {0, 1}) {
    objects[node] = m->kmalloc_node(40, gfp::kKernel, quarry::NodeId{node});
    CHECK_EQ(m->page_node(m->virt_to_page(objects[node])).value(), node);
  }
  void* object = m->kmalloc_node(40, gfp::kKernel, quarry::NodeId{0});
  CHECK(same_page(object, objects[0]));
  m->kfree(object);
  for (void* one : objects) m->kfree(one);
}

QUARRY_TEST(Slob, requests_for_dma_memory_get_it) {
  Machine m{
      .engine = SlabEngineKind::kSlob,
      .memory_map = std::array{quarry::MemoryRange{
          quarry::PhysAddr(0), 64 * quarry::kMiB, quarry::NodeId(0), quarry::MemoryType::kUsable}}};
  void* any = m->kmalloc(40, gfp::kKernel);
  CHECK(m->page_zone(m->virt_to_page(any)) != 0);  // so the page at hand would not do
  void* low = m->kmalloc(40, gfp::kKernel | gfp::kDmaBit);
  CHECK_EQ(m->page_zone(m->virt_to_page(low)), 0U);
  KmemCache* cache = m->cache_create("dma", 40, {.flags = QUARRY_SLAB_CACHE_DMA});
  void* object = m->cache_alloc(cache, gfp::kKernel);
  CHECK(same_page(low, object));
  m->cache_free(cache, object);
  m->cache_destroy(cache);
  m->kfree(low);
  m->kfree(any);
}

// --- What is noticed ---

QUARRY_TEST(Slob, object_freed_twice_is_reported_and_left_alone) {
  SlobMachine m;
  void* keep = m.get(60);
  void* object = m.get(60);
  m->kfree(object);
  m->kfree(object);
  CHECK(m.reported("kfree of what kmalloc did not give"));
  KmemCache* cache = m->cache_create("twice", 72);
  void* neighbour = m->cache_alloc(cache, gfp::kKernel);
  object = m->cache_alloc(cache, gfp::kKernel);
  m->cache_free(cache, object);
  m->cache_free(cache, object);
  CHECK(m.reported("BUG twice (Tainted: G        W         ): Object already free"));
  m->cache_free(cache, neighbour);
  m->cache_destroy(cache);
  m->kfree(keep);
}

QUARRY_TEST(Slob, kfree_of_what_has_no_header_is_reported) {
  SlobMachine m;
  KmemCache* cache = m->cache_create("small", 72);
  KmemCache* pages = m->cache_create("pages", 2 * kPageBytes);
  void* object = m->cache_alloc(cache, gfp::kKernel | gfp::kZero);
  void* block = m->cache_alloc(pages, gfp::kKernel);
  unsigned char* mine = m.get(200);
  for (void* wrong : {object, block, static_cast<void*>(mine + 16)}) {
    m->kfree(wrong);
    CHECK(m.reported("kfree of what kmalloc did not give"));
    CHECK_EQ(m->ksize(wrong), 0U);
  }
  m->cache_free(cache, object);
  m->cache_free(pages, block);
  m->kfree(mine);
  m->cache_destroy(cache);
  m->cache_destroy(pages);
}

QUARRY_TEST(Slob, what_is_no_object_of_a_cache_is_reported) {
  SlobMachine m;
  KmemCache* cache = m->cache_create("mine", 72);
  KmemCache* pages = m->cache_create("pages", 2 * kPageBytes);
  void* page = m->get_free_pages(gfp::kKernel, Order(0));
  void* object = m->cache_alloc(cache, gfp::kKernel);
  void* block = m->cache_alloc(pages, gfp::kKernel);
  int local = 0;
  m->cache_free(cache, page);
  CHECK(m.reported("is not a slab object"));
  m->cache_free(cache, &local);
  CHECK(m.reported("is not a slab object"));
  m->cache_free(cache, block);
  CHECK(m.reported("is not a slab object"));
  m->cache_free(pages, object);
  CHECK(m.reported("is not a slab object"));
  m->cache_free(pages, static_cast<unsigned char*>(block) + kPageBytes);
  CHECK(m.reported("is not a slab object"));
  m->free_pages_at(page, Order(0));
  m->cache_free(cache, object);
  m->cache_free(pages, block);
  m->cache_destroy(cache);
  m->cache_destroy(pages);
}

QUARRY_TEST(Slob, cache_with_objects_is_destroyed_without_a_word) {
  SlobMachine m;
  KmemCache* cache = m->cache_create("leaky", 72);
  void* object = m->cache_alloc(cache, gfp::kKernel);
  m->cache_destroy(cache);
  m->cache_destroy(cache);
  CHECK(m.reported("destroyed already"));
  // A cache of the same size may take it.
  cache = m->cache_create("heir", 72);
  m->cache_free(cache, object);
  m->cache_destroy(cache);
}

QUARRY_TEST(Slob, has_no_slabinfo_and_says_so) {
  SlobMachine m;
  quarry::FixedText<200> text;
  m->slabinfo(text);
  CHECK_TEXT(text.c_str(), "slabinfo: SLOB keeps no books on caches\n");
}

QUARRY_TEST(Slob, shutdown_tells_of_pages_that_hold_something) {
  harness::Log log;
  harness::MachinePlatform platform;
  quarry::MemorySystem system;
  REQUIRE(harness::open_platform(platform, {.ram_bytes = quarry::kMiB, .log = &log}) == nullptr);
  REQUIRE(system.boot(platform, {.engine = SlabEngineKind::kSlob}));
  CHECK(system.kmalloc(3000, gfp::kKernel) != nullptr);
  CHECK(system.kmalloc(5000, gfp::kKernel) != nullptr);
  CHECK_EQ(system.shutdown(), 3U);
  CHECK_TEXT(log.text(), "slob: objects in 3 pages were never freed\n");
}

}  // namespace
