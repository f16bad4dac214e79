// SPDX-License-Identifier: MIT
#include "vmalloc/vmalloc.h"

#include "gfp/gfp_names.h"
#include "sync/execution_context.h"

namespace quarry {
namespace {

// The whole pages that hold `bytes`; 0 where a size_t cannot say it.
size_t whole_pages(size_t bytes) { return round_up(bytes, kPageBytes); }

void* pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

}  // namespace

bool Vmalloc::boot(PageAllocator& pages, Kmem& kmem, PageMapper& mapper) {
  pages_ = &pages;
  kmem_ = &kmem;
  mapper_ = &mapper;
  start_ = pages.platform().vmalloc_start().value();
  end_ = pages.platform().vmalloc_end().value();
  most_pages_ = pages.managed_pages();
  void* const memory = kmem.kmalloc(sizeof(Area), gfp::kKernel, 0);
  if (memory == nullptr) return false;
  map_.boot(start_, end_, *new (memory) Area);
  return true;
}

size_t Vmalloc::shutdown() {
  size_t left = 0;
  AreaInfo info;
  // An area whose frame numbers lie in another one goes first and takes that one with it. What the
  // numbers lie in is always the smaller of the two.
  while (largest_with_array(info)) {
    retire(*map_.withdraw(info.start, info.kind));
    ++left;
  }
  for (uintptr_t from = start_; next_area(from, info); from = info.start + info.bytes) {
    if (info.unpurged) continue;
    retire(*map_.withdraw(info.start, info.kind));
    ++left;
  }
  purge();
  while (Area* const node = map_.dismantle()) kmem_->kfree(node, 0);
  return left;
}

bool Vmalloc::largest_with_array(AreaInfo& largest) const {
  largest = {};
  AreaInfo info;
  for (uintptr_t from = start_; next_area(from, info); from = info.start + info.bytes) {
    if (info.frames_in_vmalloc && info.bytes > largest.bytes) largest = info;
  }
  return largest.bytes != 0;
}

void* Vmalloc::alloc(size_t bytes, Gfp gfp, NodeId node, uintptr_t place) {
  if (!may_make_area(bytes, gfp, place)) return nullptr;
  const size_t mapped = whole_pages(bytes);
  const size_t count = mapped >> kPageShift;
  Area* const area = new_area(mapped, kPageBytes, AreaKind::kVmalloc, gfp, place);
  if (area == nullptr) return nullptr;
  const char* failed = nullptr;
  if (!get_frame_array(*area, count, gfp, node, place)) {
    failed = "failed to allocate page array";
  } else if (!take_frames(*area, count, gfp, node)) {
    failed = "failed to allocate pages";
  } else if (!map_frames(*area, MapAccess::kReadWrite)) {
    failed = "failed to map pages";
  }
  if (failed != nullptr) {
    free_frames(*area);
    delete_area(*area);
    report_failure(bytes, gfp, failed);
    return nullptr;
  }
  // Through the mapping: it is there for any kind of frame.
  if (any(gfp, gfp::kZero)) __builtin_memset(pointer(area->start), 0, mapped);
  page_count_.fetch_add(count, std::memory_order_relaxed);
  const uintptr_t start = area->start;
  map_.publish(*area);
  return pointer(start);
}

void* Vmalloc::map_pages(std::span<Page* const> pages, MapAccess access, uintptr_t place) {
  const size_t count = pages.size();
  const size_t bytes = count > SIZE_MAX >> kPageShift ? SIZE_MAX : count << kPageShift;
  if (!may_make_area(bytes, gfp::kKernel, place)) return nullptr;
  Area* const area = new_area(bytes, kPageBytes, AreaKind::kVmap, gfp::kKernel, place);
  if (area == nullptr) return nullptr;
  const char* failed = nullptr;
  if (!get_frame_array(*area, count, gfp::kKernel, kNoNode, place)) {
    failed = "failed to allocate page array";
  } else {
    const PageMap& map = pages_->map();
    for (const Page* page : pages) {
      const Pfn pfn = map.pfn(page);
      if (map.page(pfn) != page || !map.valid(pfn)) {
        pages_->reporter().warn_once(place, "vmap of what is no page");
        delete_area(*area);
        return nullptr;
      }
      area->frames[area->frame_count++] = pfn.value();
    }
    if (!map_frames(*area, access)) failed = "failed to map pages";
  }
  if (failed != nullptr) {
    delete_area(*area);
    report_failure(bytes, gfp::kKernel, failed);
    return nullptr;
  }
  const uintptr_t start = area->start;
  map_.publish(*area);
  return pointer(start);
}

void* Vmalloc::reserve_area(size_t bytes, size_t align, uintptr_t place) {
  if (in_interrupt(Arch::context()) || bytes == 0 || whole_pages(bytes) == 0 ||
      !is_power_of_two(align)) {
    pages_->reporter().warn_once(place,
                                 "reserve_area() of a size or alignment, or in a context, "
                                 "that makes no sense");
    return nullptr;
  }
  if (align < kPageBytes) align = kPageBytes;
  Area* const area = new_area(whole_pages(bytes), align, AreaKind::kReserved, gfp::kKernel, place);
  if (area == nullptr) return nullptr;
  const uintptr_t start = area->start;
  map_.publish(*area);
  return pointer(start);
}

void Vmalloc::free(const void* address, uintptr_t place) {
  // In an interrupt Linux leaves the work to a thread; here it can be done at once.
  if (Arch::forbids_some_gfp()) [[unlikely]] {
    const quarry_context& context = Arch::context();
    if (context.nmi_depth != 0) {
      return pages_->reporter().warn(place, "kernel BUG: vfree in NMI");
    }
    if (!in_interrupt(context)) {
      pages_->reporter().check_context(uint32_t(gfp::kDirectReclaim), place);
    }
  }
  if (address == nullptr) return;
  Area* const area = withdraw(address, AreaKind::kVmalloc, AreaKind::kVmap, "vfree", place);
  if (area != nullptr) retire(*area);
}

void Vmalloc::unmap(const void* address, uintptr_t place) {
  if (in_interrupt(Arch::context())) {
    return pages_->reporter().warn(place, "kernel BUG: vunmap in interrupt");
  }
  pages_->reporter().check_context(uint32_t(gfp::kDirectReclaim), place);
  if (address == nullptr) return;
  Area* const area = withdraw(address, AreaKind::kVmap, AreaKind::kVmap, "vunmap", place);
  if (area != nullptr) retire(*area);
}

void Vmalloc::free_area(const void* address, uintptr_t place) {
  if (address == nullptr) return;
  Area* const area =
      withdraw(address, AreaKind::kReserved, AreaKind::kReserved, "free_area", place);
  if (area != nullptr) retire(*area);
}

void* Vmalloc::kvmalloc(size_t bytes, Gfp gfp, NodeId node, uintptr_t place) {
  // Beyond a page there is another way, so this one must not go far.
  Gfp first_gfp = gfp;
  if (bytes > kPageBytes) {
    first_gfp = (gfp | gfp::kNoWarn) & ~gfp::kNoFail;
    if (!any(gfp, gfp::kRetryMayfail)) first_gfp |= gfp::kNoRetry;
  }
  void* const object = kmem_->kmalloc_node(bytes, first_gfp, node, place);
  if (object != nullptr || bytes <= kPageBytes || !gfp_allows_blocking(gfp)) return object;
  constexpr size_t kMost = 0x7fff'ffff;  // what is larger comes from an overflow
  if (bytes > kMost) {
    if (!any(gfp, gfp::kNoWarn)) pages_->reporter().warn_once(place, "kvmalloc() beyond INT_MAX");
    return nullptr;
  }
  return alloc(bytes, gfp, node, place);
}

void Vmalloc::kvfree(const void* address, uintptr_t place) {
  if (contains(address)) {
    free(address, place);
  } else {
    kmem_->kfree(address, place);
  }
}

Page* Vmalloc::to_page(const void* address) const {
  if (!contains(address)) return nullptr;
  const auto at = reinterpret_cast<uintptr_t>(address);
  LockGuard guard(map_.lock());
  const Area* const area = map_.find_locked(at);
  if (area == nullptr) return nullptr;
  const size_t index = (at - area->start) >> kPageShift;
  return index < area->frame_count ? pages_->map().page(Pfn{area->frames[index]}) : nullptr;
}

AreaInfo Vmalloc::info_of(const Area& area) const {
  AreaInfo info{.start = area.start,
                .bytes = area.bytes,
                .caller = area.caller,
                .kind = area.kind,
                .unpurged = area.state == AreaState::kUnpurged,
                .frames_in_vmalloc = false,
                .frame_count = 0,
                .frames_of_node = {}};
  if (info.unpurged) return info;
  info.frames_in_vmalloc = contains(area.frames);
  if (area.kind != AreaKind::kVmalloc) return info;
  info.frame_count = area.frame_count;
  for (uint32_t i = 0; i != area.frame_count; ++i) {
    ++info.frames_of_node[pages_->node_of(Pfn{area.frames[i]})];
  }
  return info;
}

bool Vmalloc::next_area(uintptr_t from, AreaInfo& info) const {
  LockGuard guard(map_.lock());
  const Area* const area = map_.next_locked(from);
  if (area != nullptr) info = info_of(*area);
  return area != nullptr;
}

bool Vmalloc::find_area(uintptr_t address, AreaInfo& info) const {
  LockGuard guard(map_.lock());
  const Area* const area = map_.find_locked(address);
  if (area != nullptr) info = info_of(*area);
  return area != nullptr;
}

bool Vmalloc::validate(TextSink& out) const {
  LockGuard guard(map_.lock());
  if (!map_.validate_locked(out)) return false;
  size_t frames = 0;
  for (const Area* area = map_.next_locked(start_); area != nullptr;
       area = map_.next_locked(area->start + area->bytes)) {
    const bool shows_nothing =
        area->kind == AreaKind::kReserved || area->state == AreaState::kUnpurged;
    const size_t room = shows_nothing ? 0 : (area->bytes >> kPageShift) - 1;
    const bool sound = area->frame_count == room;
    for (uint32_t i = 0; sound && i != area->frame_count; ++i) {
      if (pages_->map().page(Pfn{area->frames[i]})->_refcount > 0) continue;
      format(out, "vmalloc: frame %u of the area at 0x%p is free\n", area->frames[i],
             reinterpret_cast<const void*>(area->start));
      return false;
    }
    if (!sound) {
      format(out, "vmalloc: the area at 0x%p has %u frames for %zu pages\n",
             reinterpret_cast<const void*>(area->start), area->frame_count, room);
      return false;
    }
    if (area->kind == AreaKind::kVmalloc) frames += area->frame_count;
  }
  if (frames == page_count()) return true;
  format(out, "vmalloc: %zu frames in areas, %zu counted\n", frames, page_count());
  return false;
}

// What has to hold for every area with frames. False: reported.
bool Vmalloc::may_make_area(size_t bytes, Gfp gfp, uintptr_t place) {
  Reporter& reporter = pages_->reporter();
  if (Arch::forbids_some_gfp()) [[unlikely]] {
    if (in_interrupt(Arch::context())) {
      reporter.warn_once(place, "kernel BUG: vmalloc or vmap in interrupt");
      return false;
    }
    // Whatever the flags are, the mapper may sleep (Linux: might_sleep() in alloc_vmap_area()).
    reporter.check_context(uint32_t(gfp | gfp::kDirectReclaim), place);
  }
  if (bytes == 0) [[unlikely]] {
    reporter.warn_once(place, "vmalloc or vmap of size 0");
    return false;
  }
  const size_t count = (bytes - 1) / kPageBytes + 1;
  if (count <= most_pages_) return true;
  report_failure(bytes, gfp, "exceeds total pages");
  return false;
}

// An area with addresses for `bytes` and a guard, not in use yet. Null: reported.
Area* Vmalloc::new_area(size_t bytes, size_t align, AreaKind kind, Gfp gfp, uintptr_t place) {
  Area* area = align == kPageBytes ? map_.reuse(bytes + kPageBytes) : nullptr;
  if (area == nullptr) area = reserve(bytes, align, gfp, place);
  if (area == nullptr) return nullptr;
  area->frames = nullptr;
  area->kind = kind;
  area->caller = place;
  return area;
}

// The same, when no unpurged area serves.
[[gnu::noinline]] Area* Vmalloc::reserve(size_t bytes, size_t align, Gfp gfp, uintptr_t place) {
  const Gfp node_gfp = gfp & gfp::kReclaimMask;
  void* const memory = kmem_->kmalloc(sizeof(Area), node_gfp, place);
  void* const spare_memory =
      align > kPageBytes ? kmem_->kmalloc(sizeof(Area), node_gfp, place) : nullptr;
  const char* failed = "vm_struct allocation failed";
  if (memory != nullptr && (align == kPageBytes || spare_memory != nullptr)) {
    Area* const area = new (memory) Area;
    Area* const spare = spare_memory != nullptr ? new (spare_memory) Area : nullptr;
    AreaMap::Unused unused{{spare}};
    const size_t guarded = bytes + kPageBytes;
    bool found = false;
    if (guarded > bytes) {
      found = map_.reserve(*area, guarded, align, spare, unused);
      if (!found && purge() != 0) found = map_.reserve(*area, guarded, align, spare, unused);
    }
    delete_nodes(unused);
    if (found) return area;
    failed = "no address range of that size is free";
  } else {
    kmem_->kfree(spare_memory, place);
  }
  kmem_->kfree(memory, place);
  report_failure(bytes, gfp, failed);
  return nullptr;
}

// The area is ended, and shows nothing any more.
void Vmalloc::delete_area(Area& area) {
  put_frame_array(area);
  if (map_.keep(area)) return;
  if (AreaMap::has_pool(area)) purge();
  delete_nodes(map_.give_back(area));
}

size_t Vmalloc::purge() {
  size_t purged = 0;
  for (size_t pages = 1; pages <= AreaMap::kMostPooledPages; ++pages) {
    while (Area* const area = map_.reuse((pages + 1) << kPageShift)) {
      delete_nodes(map_.give_back(*area));
      ++purged;
    }
  }
  return purged;
}

void Vmalloc::delete_nodes(const AreaMap::Unused& unused) {
  for (AddressRange* node : unused.node) {
    if (node != nullptr) kmem_->kfree(static_cast<Area*>(node), 0);
  }
}

// Takes an area out of the tree. Null: there is none, which is reported in Linux's words.
Area* Vmalloc::withdraw(const void* address, AreaKind kind, AreaKind or_kind, const char* call,
                        uintptr_t place) {
  const auto start = reinterpret_cast<uintptr_t>(address);
  const bool aligned = is_aligned(start, kPageBytes);
  Area* const area = aligned ? map_.withdraw(start, kind, or_kind) : nullptr;
  if (area != nullptr) return area;
  FixedText<96> text;
  format(text, "Trying to %s() %s (%p)", call, aligned ? "nonexistent vm area" : "bad address",
         address);
  pages_->reporter().warn(place, text.c_str());
  return nullptr;
}

// The end of an area that nobody knows any more: nothing of it is seen when its frames are free,
// and nobody gets its addresses before.
void Vmalloc::retire(Area& area) {
  if (area.frame_count != 0) mapper_->unmap(VirtAddr{area.start}, area.frame_count);
  if (area.kind == AreaKind::kVmalloc) {
    page_count_.fetch_sub(area.frame_count, std::memory_order_relaxed);
    free_frames(area);
  }
  delete_area(area);
}

void Vmalloc::report_failure(size_t bytes, Gfp gfp, const char* what) {
  if (any(gfp, gfp::kNoWarn) || !failure_limit_.allow(platform().clock_ns())) return;
  {
    LogText out(platform());
    format(out, "quarry: vmalloc error: size %zu, %s, mode:%#x(", bytes, what, uint32_t(gfp));
    print_gfp(out, gfp);
    format(out, "), nodemask=(null)\n");
  }
  pages_->reporter().dump_stack();
  LogText out(platform());
  pages_->show_memory(out);
}

}  // namespace quarry
