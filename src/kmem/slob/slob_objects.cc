// SPDX-License-Identifier: MIT

// Objects of kmalloc, with a header, and of caches, without.

#include "kmem/slob/slob.h"

namespace quarry {

namespace {

// Before an object of kmalloc. Linux has only the size, in as many bytes.
struct Header {
  uint32_t bytes;
  uint32_t check;  // is_valid(), while the object is in use

  uint32_t expected_check() const {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this)) ^ bytes ^ 0x510bc0deU;
  }
};

constexpr size_t kHeaderBytes = sizeof(Header);
constexpr size_t kMinAlign = kHeaderBytes;  // of what kmalloc returns
static_assert(kMinAlign >= alignof(uint64_t) && kMinAlign == 8);

// From here on kmalloc takes whole pages.
constexpr size_t kWholePages = kPageBytes - kHeaderBytes;

// Null: there is no header before the object, or it is of one that is free.
Header* header_of(const Page& page, const void* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  const size_t offset = address % kPageBytes;
  if (!SlobPage::is_one(page) || address % kMinAlign != 0 || offset < kHeaderBytes) return nullptr;
  auto* header = reinterpret_cast<Header*>(address - kHeaderBytes);
  const bool valid = header->check == header->expected_check() && header->bytes < kWholePages &&
                     header->bytes <= kPageBytes - offset;
  return valid ? header : nullptr;
}

// Ends an object of a cache with SLAB_TYPESAFE_BY_RCU, whose memory is let go of when readers can
// no longer look at it.
struct RcuFooter {
  RcuHead head;
  uint32_t bytes;  // of the whole object once it was freed, 0 before
};

bool waits_for_readers(const KmemCache& cache) {
  return (cache.flags & QUARRY_SLAB_TYPESAFE_BY_RCU) != 0;
}
RcuFooter& footer_of(const KmemCache& cache, void* object) {
  auto* end = static_cast<unsigned char*>(object) + cache.size;
  return *reinterpret_cast<RcuFooter*>(end - sizeof(RcuFooter));
}

constexpr size_t rounded(size_t bytes) { return size_t{slob_units(bytes)} * kSlobUnitBytes; }

SlobWish wish_for(size_t bytes, size_t align, size_t align_at) {
  return {.units = slob_units(bytes),
          .align = static_cast<unsigned>(align / kSlobUnitBytes),
          .align_at = static_cast<unsigned>(align_at / kSlobUnitBytes)};
}

bool is_raw(const KmemCache& cache) { return cache.size >= kPageBytes; }

}  // namespace

void* Slob::kmalloc(const ObjectRequest& request) {
  const size_t bytes = request.bytes;
  if (bytes >= kWholePages) return kmem_->kmalloc_pages(request);
  const size_t align = is_power_of_two(bytes) && bytes > kMinAlign ? bytes : kMinAlign;
  const size_t total = bytes + kHeaderBytes;
  void* block = alloc_block(total, wish_for(total, align, kHeaderBytes), request, {});
  if (block == nullptr) return nullptr;
  if (any(request.gfp, gfp::kZero)) __builtin_memset(block, 0, rounded(total));
  auto* header = static_cast<Header*>(block);
  header->bytes = static_cast<uint32_t>(bytes);
  header->check = header->expected_check();
  return header + 1;
}

bool Slob::kfree(Page& page, const void* object) {
  Header* header = header_of(page, object);
  if (header == nullptr) return false;
  header->check = 0;
  return free_block(SlobPage::of(page), header, header->bytes + kHeaderBytes);
}

size_t Slob::kmalloc_usable(const Page& page, const void* object) const {
  const Header* header = header_of(page, object);
  return header == nullptr ? 0 : rounded(header->bytes);
}

size_t Slob::size_roundup(size_t bytes) const {
  if (bytes < kWholePages) return rounded(bytes);
  return bytes <= kPageBytes ? kPageBytes : kMaxClassBytes;
}
static_assert(kMaxClassBytes == 2 * kPageBytes);

// Objects lie side by side with all sorts: there is no slab to shape.
bool Slob::shape(KmemCache& cache, unsigned) const {
  cache.size = cache.inuse_bytes = cache.object_size;
  if (waits_for_readers(cache)) {
    constexpr auto kFooterBytes = static_cast<uint32_t>(sizeof(RcuFooter));
    cache.size = round_up(cache.size, uint32_t{alignof(RcuFooter)}) + kFooterBytes;
  }
  // A block of pages is aligned to its size.
  if (cache.align > kPageBytes && cache.size < cache.align) cache.size = cache.align;
  unsigned order = 0;
  while (kPageBytes << order < cache.size) ++order;
  if (order > kMaxOrder.value()) return false;
  cache.order = cache.min_order = Order(order);
  cache.objects = 1;
  return true;
}

size_t Slob::usable_bytes(const KmemCache& cache, const void*) const { return cache.object_size; }

uint32_t Slob::alloc(KmemCache& cache, const ObjectRequest& request, std::span<void*> objects) {
  uint32_t count = 0;
  for (void*& object : objects) {
    object = alloc_object(cache, request);
    if (object == nullptr) break;
    ++count;
  }
  return count;
}

void* Slob::alloc_object(const KmemCache& cache, const ObjectRequest& request) {
  void* object = is_raw(cache) ? alloc_raw(cache, request)
                               : alloc_block(cache.size, wish_for(cache.size, cache.align, 0),
                                             request, cache.page_gfp);
  if (object == nullptr) return nullptr;
  if (waits_for_readers(cache)) footer_of(cache, object).bytes = 0;
  if (cache.ctor != nullptr) cache.ctor(object);
  return object;
}

void* Slob::alloc_raw(const KmemCache& cache, const ObjectRequest& request) {
  const Gfp gfp = page_gfp(request, cache.page_gfp) | gfp::kComp;
  Page* page = pages_->alloc(gfp, cache.order, request.node, request.place);
  if (page == nullptr) return nullptr;
  page->node = static_cast<uint8_t>(pages_->node_of(map_->pfn(page)));
  kmem_->add_slab_pages(*page);
  add_flags(*page, QUARRY_PAGE_SLAB | SlobPage::kRaw);
  return map_->address(page);
}

void Slob::free(KmemCache& cache, std::span<void* const> objects, uintptr_t place) {
  for (void* object : objects) {
    if (!may_be_of(cache, object)) {
      kmem_->report_no_object(cache, object, place);
    } else if (!free_object(cache, object)) {
      kmem_->report_object(cache, object, "Object already free");
    }
  }
}

// As far as pages tell.
bool Slob::may_be_of(const KmemCache& cache, const void* object) const {
  const Page* page = map_->page_of(object);
  const size_t offset = reinterpret_cast<uintptr_t>(object) % kPageBytes;
  if (page == nullptr) return false;
  if (is_raw(cache)) {
    return SlobPage::is_raw(*page) && offset == 0 && page->order == cache.order.value();
  }
  return SlobPage::is_one(*page) && offset + cache.size <= kPageBytes && offset % cache.align == 0;
}

// False: it is free already.
bool Slob::free_object(const KmemCache& cache, void* object) {
  if (!waits_for_readers(cache)) return release(object, cache.size);
  RcuFooter& footer = footer_of(cache, object);
  if (footer.bytes != 0) return false;
  footer.bytes = cache.size;
  kmem_->call_engine_after_grace_period(footer.head);
  return true;
}

void Slob::grace_period_over(RcuHead& head) {
  auto& footer = reinterpret_cast<RcuFooter&>(head);
  const uint32_t bytes = footer.bytes;
  release(reinterpret_cast<unsigned char*>(&footer + 1) - bytes, bytes);
}
static_assert(offsetof(RcuFooter, head) == 0);

bool Slob::release(void* object, size_t bytes) {
  Page& page = *map_->page_at(object);
  if (!SlobPage::is_raw(page)) return free_block(SlobPage::of(page), object, bytes);
  const Order order(page.order);
  drop_flags(page, QUARRY_PAGE_SLAB | SlobPage::kRaw);
  kmem_->sub_slab_pages(page);
  page.node = 0;
  pages_->free(&page, order);
  return true;
}

}  // namespace quarry
