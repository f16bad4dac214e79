// SPDX-License-Identifier: MIT
// Sparse memory in the lower half of the kernel's address space, where nothing else is. A page of
// it gets a frame when it is first touched, by the handler of page faults. While one CPU runs.
#include "support/sparse_memory.h"

#include <utility>

#include "base/bits.h"
#include "boot/kernel.h"
#include "map/page_tables.h"
#include "x86/traps.h"

namespace harness {

namespace {

using namespace quarry;

// The lower half, without what null pointers lead to.
constexpr uintptr_t kWindowStart = 64 * kMiB;
constexpr uintptr_t kWindowEnd = uintptr_t{1} << (sizeof(void*) == 8 ? 46 : 31);
constexpr size_t kLeafPages = PageTables<Arch::TableFormat>::kEntries;

// Frames of the machine for the memory and for page tables, taken from its system once, in blocks.
// Free ones are linked through their first word.
class Frames final : public FrameSource {
 public:
  void fill() {
    constexpr Gfp kQuiet = gfp::kKernel | gfp::kNoWarn | gfp::kNoRetry;
    while (Page* const block = boot::system().alloc_pages(kQuiet, kMaxOrder)) {
      const Pfn first = boot::system().page_to_pfn(block);
      for (uint32_t i = 0; i != kMaxOrder.pages(); ++i) give_back(first + i);
    }
  }

  Pfn take() override {
    if (free_ == kNoPfn) return kNoPfn;
    const Pfn frame = free_;
    void* const memory = boot::core().map.address(frame);
    free_ = *static_cast<Pfn*>(memory);
    __builtin_memset(memory, 0, kPageBytes);
    return frame;
  }
  void give_back(Pfn frame) override {
    *static_cast<Pfn*>(boot::core().map.address(frame)) = free_;
    free_ = frame;
  }

 private:
  Pfn free_ = kNoPfn;
};

struct Range {
  uintptr_t start;
  uintptr_t end;
};

constexpr unsigned kMostRanges = 128;

struct Window {
  Frames frames;
  PageTables<Arch::TableFormat> tables;
  Range memory[kMostRanges] = {};
  unsigned memory_count = 0;
  uintptr_t next = kWindowStart;
  unsigned reservations = 0;
  bool ready = false;
};
constinit Window window;

Pfn frame_at(uintptr_t at) {
  const auto* const entry = window.tables.find(VirtAddr(at));
  return entry != nullptr && entry->present() ? entry->frame() : kNoPfn;
}

// The frame of a page of memory, which gets one if it has none. kNoPfn: the machine has no more.
Pfn need_frame(uintptr_t at) {
  Pfn frame = frame_at(at);
  if (frame != kNoPfn) return frame;
  frame = window.frames.take();
  if (frame == kNoPfn) return kNoPfn;
  if (window.tables.fill(VirtAddr(at), frame, 1, MapAccess::kReadWrite) == 1) return frame;
  window.frames.give_back(frame);
  return kNoPfn;
}

bool handle_fault(const Fault& fault) {
  if ((fault.error & Fault::kPresent) != 0) return false;
  const uintptr_t at = round_down(fault.address, kPageBytes);
  for (const Range& range : std::span(window.memory, window.memory_count)) {
    if (at < range.start || range.end <= at) continue;
    // Locks that the interrupted code holds are not of this system: their ranks say nothing here.
    const uint32_t held = std::exchange(Arch::context().held_locks, 0);
    const bool mended = need_frame(at) != kNoPfn;
    Arch::context().held_locks = held;
    return mended;
  }
  return false;
}

void flush() {
  const IrqGuard off;
  Arch::flush_local_tlb();
}

// Gives the frames of memory in a range back.
void drop_frames(const Range& range) {
  for (uintptr_t at = range.start; at < range.end;) {
    auto* entry = window.tables.find(VirtAddr(at));
    const uintptr_t leaf_end = round_down(at, kLeafPages * kPageBytes) + kLeafPages * kPageBytes;
    for (; at < leaf_end && at < range.end; at += kPageBytes) {
      if (entry == nullptr) continue;
      if (entry->present()) window.frames.give_back(entry->frame());
      entry++->write({});
    }
  }
  flush();
}

void drop_tables(uintptr_t start, size_t bytes) {
  Pfn detached[32];
  while (const size_t count =
             window.tables.detach_empty(VirtAddr(start), bytes >> kPageShift, detached)) {
    flush();
    for (size_t i = 0; i != count; ++i) window.frames.give_back(detached[i]);
  }
}

void make_ready() {
  if (window.ready) return;
  window.frames.fill();
  window.tables.init(boot::platform().page_table_root(), boot::platform().direct_map_base(),
                     window.frames);
  set_fault_handler(handle_fault);
  window.ready = true;
}

// Calls visit(number) for each range of memory in a reservation, which may take it out.
template <class Visit>
void for_each_memory(uintptr_t start, size_t bytes, Visit&& visit) {
  for (unsigned i = window.memory_count; i-- != 0;) {
    if (window.memory[i].start - start < bytes) visit(i);
  }
}

}  // namespace

bool SparseMemory::reserve(size_t bytes) {
  make_ready();
  const size_t whole = round_up(bytes, kAlign);
  if (whole > kWindowEnd - window.next) return false;
  base_ = reinterpret_cast<unsigned char*>(window.next);
  bytes_ = whole;
  window.next += whole;
  ++window.reservations;
  return true;
}

void SparseMemory::release() {
  if (base_ == nullptr) return;
  const auto start = reinterpret_cast<uintptr_t>(base_);
  for_each_memory(start, bytes_, [](unsigned i) {
    drop_frames(window.memory[i]);
    window.memory[i] = window.memory[--window.memory_count];
  });
  window.tables.clear(VirtAddr(start), bytes_ >> kPageShift);
  flush();
  drop_tables(start, bytes_);
  if (--window.reservations == 0) {
    window.next = kWindowStart;
  } else if (window.next == start + bytes_) {
    window.next = start;
  }
  base_ = nullptr;
}

bool SparseMemory::add_memory(size_t at, size_t bytes) {
  if (window.memory_count == kMostRanges) return false;
  const uintptr_t start = reinterpret_cast<uintptr_t>(base_) + at;
  window.memory[window.memory_count++] = {start, start + bytes};
  return true;
}

void SparseMemory::clear() {
  for_each_memory(reinterpret_cast<uintptr_t>(base_), bytes_,
                  [](unsigned i) { drop_frames(window.memory[i]); });
}

bool SparseMemory::show(size_t at, size_t from, size_t bytes, bool writable) {
  const auto base = reinterpret_cast<uintptr_t>(base_);
  const MapAccess access = writable ? MapAccess::kReadWrite : MapAccess::kReadOnly;
  for (size_t done = 0; done != bytes; done += kPageBytes) {
    const Pfn frame = need_frame(base + from + done);
    if (frame == kNoPfn || window.tables.fill(VirtAddr(base + at + done), frame, 1, access) == 0) {
      hide(at, done);
      return false;
    }
  }
  return true;
}

void SparseMemory::hide(size_t at, size_t bytes) {
  window.tables.clear(VirtAddr(base_ + at), bytes >> kPageShift);
  flush();
}

}  // namespace harness
