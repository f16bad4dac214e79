// SPDX-License-Identifier: MIT
#pragma once

// Memory that is contiguous in virtual addresses only.
//
// An area is a run of addresses (area_map.h), frames from anywhere, and a mapping of one onto the
// other; the page behind it is never mapped, so that running over its end faults. Frames are taken
// in blocks as large as there are, each run of consecutive frames is one call of the mapper, and
// each frame has its own reference, as if it had been allocated alone. The area keeps the frame
// numbers: finding an address's page does not ask the machine's page tables.
//
//   alloc   addresses, frames, mapping, then the area is in use; any failure gives all of it back
//   free    the area is no more in use, is unmapped on all CPUs, its frames are free, and then its
//           addresses, either for all or unpurged, for the next area of that size
//
//   page_count() == sum of frame_count over the areas of kind kVmalloc
//
// No lock is held while memory is allocated or freed or the mapper is called. Contract edges:
// Linux 6.1 (core-api/mm-api.rst, memory-allocation.rst). `place` is the code address that reports
// and vmallocinfo name as the caller.

#include <atomic>
#include <span>

#include "kmem/kmem.h"
#include "map/page_mapper.h"
#include "vmalloc/area_map.h"
#include "zone/page_allocator.h"

namespace quarry {

// What /proc/vmallocinfo tells about an area.
struct AreaInfo {
  uintptr_t start;
  size_t bytes;  // with the guard
  uintptr_t caller;
  AreaKind kind;
  bool unpurged;           // no area any more: free but for these addresses
  bool frames_in_vmalloc;  // the frame numbers themselves lie in the vmalloc range
  uint32_t frame_count;    // of its own
  uint32_t frames_of_node[PageAllocator::kMaxNodes];
};

class Vmalloc {
 public:
  constexpr Vmalloc() = default;
  Vmalloc(const Vmalloc&) = delete;
  Vmalloc& operator=(const Vmalloc&) = delete;

  // For the addresses that the platform of `pages` has for vmalloc. False: out of memory. All three
  // must outlive this.
  bool boot(PageAllocator& pages, Kmem& kmem, PageMapper& mapper);
  // Takes everything back that is still in use; how many areas that were. No other call may be
  // under way, and none may follow.
  size_t shutdown();

  // --- Process context; may sleep. Elsewhere: reported once a place, and in interrupts null. ---

  // `bytes` rounded up to whole pages. Null: out of memory, of addresses or of the machine's
  // mappings, reported unless __GFP_NOWARN is set; or size 0, or more than all memory, which is
  // reported too. __GFP_HIGHMEM is added unless a zone is named. `node`: preferred, or kNoNode.
  [[nodiscard]] void* alloc(size_t bytes, Gfp gfp, NodeId node, uintptr_t place);
  // Shows the pages in a row. Null as for alloc(). The pages stay the caller's.
  [[nodiscard]] void* map_pages(std::span<Page* const> pages, MapAccess access, uintptr_t place);
  // Ends what map_pages() made. Null is a no-op, what else is no such area is reported.
  void unmap(const void* address, uintptr_t place);
  // Addresses without memory, the start a multiple of `align`, a power of two.
  [[nodiscard]] void* reserve_area(size_t bytes, size_t align, uintptr_t place);
  // Ends what reserve_area() made; as for unmap().
  void free_area(const void* address, uintptr_t place);
  // kmalloc if that works without effort, else alloc() if the request may sleep.
  [[nodiscard]] void* kvmalloc(size_t bytes, Gfp gfp, NodeId node, uintptr_t place);

  // --- Process context without locks, or interrupts, but not NMI; elsewhere reported ---

  // Of alloc() or map_pages(). Null is a no-op; an address that is no area's start is reported and
  // left alone.
  void free(const void* address, uintptr_t place);
  // Of kvmalloc(), kmalloc() or alloc().
  void kvfree(const void* address, uintptr_t place);

  // Makes the addresses of unpurged areas free for any size. How many areas that were. Any context
  // but NMI.
  size_t purge();

  // Null where nothing is mapped, or the address is not of this range.
  Page* to_page(const void* address) const;
  // Whether the address is in the vmalloc range, mapped or not.
  bool contains(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - start_ < end_ - start_;
  }

  // The area in use, or unpurged, with the lowest start that is not below `from`. False: there is
  // none.
  bool next_area(uintptr_t from, AreaInfo& info) const;
  // The area that the address lies in, guard included. False: in none.
  bool find_area(uintptr_t address, AreaInfo& info) const;
  // Frames of all areas of alloc().
  size_t page_count() const { return page_count_.load(std::memory_order_relaxed); }
  // Of the range, in use or not.
  size_t address_bytes() const { return end_ - start_; }
  Platform& platform() const { return pages_->platform(); }
  // Nodes that AreaInfo counts frames of.
  unsigned node_count() const { return pages_->node_count(); }

  // False: an invariant is broken, and `out` says which. No call may be under way.
  bool validate(TextSink& out) const;
  // For a port that stops the world: the lock is held from the one to the other.
  void lock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS { map_.lock().lock(); }
  void unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS { map_.lock().unlock(); }

 private:
  // The largest area whose frame numbers lie in the vmalloc range. False: there is none.
  bool largest_with_array(AreaInfo& largest) const;
  bool may_make_area(size_t bytes, Gfp gfp, uintptr_t place);
  Area* new_area(size_t bytes, size_t align, AreaKind kind, Gfp gfp, uintptr_t place);
  Area* reserve(size_t bytes, size_t align, Gfp gfp, uintptr_t place);
  void delete_area(Area& area);
  void delete_nodes(const AreaMap::Unused& unused);
  Area* withdraw(const void* address, AreaKind kind, AreaKind or_kind, const char* call,
                 uintptr_t place);
  void retire(Area& area);

  // frames.cc
  bool get_frame_array(Area& area, size_t count, Gfp gfp, NodeId node, uintptr_t place);
  void put_frame_array(Area& area);
  bool take_frames(Area& area, size_t count, Gfp gfp, NodeId node);
  void free_frames(const Area& area);
  void free_run(Pfn first, size_t count);
  bool map_frames(const Area& area, MapAccess access);

  AreaInfo info_of(const Area& area) const;
  void report_failure(size_t bytes, Gfp gfp, const char* what);

  AreaMap map_;
  uintptr_t start_ = 0;
  uintptr_t end_ = 0;
  PageAllocator* pages_ = nullptr;
  Kmem* kmem_ = nullptr;
  PageMapper* mapper_ = nullptr;
  size_t most_pages_ = 0;  // all frames there are
  std::atomic<size_t> page_count_{0};
  RateLimit failure_limit_{10'000'000'000, 1};  // Linux: warn_alloc()
};

}  // namespace quarry
