// SPDX-License-Identifier: MIT
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/arch.h"
#include "host_memory.h"

namespace quarry {
namespace {

constexpr size_t kGuardBytes = 2 * kMiB;
constexpr size_t kDirectAlignment = kGiB;
// Programs that close all files they do not know begin with the low numbers.
constexpr int kLowestFile = 500;
// Up to this many pages Linux drops translations one by one when entries move
// (tlb_single_page_flush_ceiling), which costs more than filling the entries again.
constexpr size_t kLeastParkedPages = 34;

void* pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

int move_high(int file) {
  if (file < 0) return file;
  const int high = fcntl(file, F_DUPFD_CLOEXEC, kLowestFile);
  if (high < 0) return file;
  close(file);
  return high;
}

// Beyond the process's limit of file sizes the host would not refuse, but stop the program.
bool file_may_have(uint64_t bytes) {
  rlimit limit = {};
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= bytes;
}

int create_file(uint64_t bytes) {
  if (!file_may_have(bytes)) return -1;
  const int file = move_high(memfd_create("quarry", MFD_CLOEXEC));
  if (file >= 0 && ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    close(file);
    return -1;
  }
  return file;
}

bool write_all(int file, const char* from, size_t bytes, off_t at) {
  while (bytes != 0) {
    const ssize_t written = pwrite(file, from, bytes, at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += written;
    bytes -= static_cast<size_t>(written);
    at += written;
  }
  return true;
}

// Moves page-table entries; the mapping at `from` stays, with none.
bool move_entries(uintptr_t from, uintptr_t to, size_t bytes) {
  return mremap(pointer(from), bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                pointer(to)) != MAP_FAILED;
}

}  // namespace

const char* Arena::open(std::span<const MemoryRange> memory, uint64_t vmalloc_bytes, bool parking) {
  memory_ = memory;
  for (const MemoryRange& range : memory) {
    const uint64_t end = range.start.value() + range.bytes;
    if (range.type == MemoryType::kUsable && end > end_) end_ = end;
  }
  const char* refused = open_file();
  if (refused == nullptr) refused = lay_out(vmalloc_bytes, parking);
  if (refused == nullptr && !map_views()) refused = "the host refuses to map the memory file";
  if (refused != nullptr) close();
  return refused;
}

void Arena::close() {
  if (reservation_ != 0) munmap(pointer(reservation_), reservation_bytes_);
  if (const uintptr_t spare = spare_.exchange(0); spare != 0) munmap(pointer(spare), kPageBytes);
  if (file_ >= 0) ::close(file_);
  record_.close();
  delete_host_table(marks_, end_ >> kPageShift);
  reservation_ = 0;
  file_ = -1;
  marks_ = nullptr;
}

const char* Arena::open_file() {
  file_ = create_file(end_);
  struct stat status = {};
  if (file_ < 0 || fstat(file_, &status) != 0) return "the host refuses a memory file of that size";
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return nullptr;
}

const char* Arena::lay_out(uint64_t vmalloc_bytes, bool parking) {
  const size_t view = round_up(end_, kGuardBytes) + kGuardBytes;
  window_bytes_ = vmalloc_bytes;
  reservation_bytes_ =
      kDirectAlignment + kGuardBytes + view * (parking ? 2 : 1) + vmalloc_bytes + kGuardBytes;
  reservation_ = reinterpret_cast<uintptr_t>(reserve_host_range(reservation_bytes_));
  if (reservation_ == 0) return "the host refuses address space of that size";
  direct_ = round_up(reservation_ + kGuardBytes, kDirectAlignment);
  window_ = direct_ + view * (parking ? 2 : 1);
  parking_ = parking ? direct_ + view : 0;
  marks_ = new_host_table<uint8_t>(end_ >> kPageShift);
  if (marks_ == nullptr || !record_.open(vmalloc_bytes >> kPageShift)) {
    return "the host refuses memory for tables";
  }
  return nullptr;
}

// The views that always exist: direct map, parking, and the spare mapping.
bool Arena::map_views() {
  constexpr int kAccess = PROT_READ | PROT_WRITE;
  const uintptr_t parking = parking_;
  for (const MemoryRange& range : memory_) {
    if (range.type != MemoryType::kUsable) continue;
    const uint64_t start = range.start.value();
    if (!map_file(direct_ + start, start, range.bytes, kAccess, 0)) return false;
    if (parking != 0 && !map_file(parking + start, start, range.bytes, kAccess, 0)) return false;
  }
  void* const spare = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, file_, 0);
  if (spare == MAP_FAILED) return false;
  madvise(spare, kPageBytes, MADV_DONTFORK);
  spare_ = reinterpret_cast<uintptr_t>(spare);
  return true;
}

bool Arena::map_file(uintptr_t at, uint64_t offset, size_t bytes, int protection, int flags) const {
  if (mmap(pointer(at), bytes, protection, MAP_SHARED | MAP_FIXED | MAP_NORESERVE | flags, file_,
           static_cast<off_t>(offset)) == MAP_FAILED) {
    return false;
  }
  if (madvise(pointer(at), bytes, MADV_DONTFORK) == 0) return true;
  clear_host_range(at, bytes);
  return false;
}

void Arena::populate(uint64_t start, uint64_t bytes) const {
  for (const MemoryRange& range : memory_) {
    const uint64_t first = start > range.start.value() ? start : range.start.value();
    const uint64_t end = range.start.value() + range.bytes;
    const uint64_t wanted = start + bytes < end ? start + bytes : end;
    if (first >= wanted) continue;
    // Refused by a host before Linux 5.14, or short of memory: then pages come when they are
    // touched.
    madvise(reinterpret_cast<void*>(direct_ + first), wanted - first, MADV_POPULATE_WRITE);
  }
}

void Arena::discard() {
  madvise(marks_, end_ >> kPageShift, MADV_DONTNEED);
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(end_));
}

bool Arena::map(uintptr_t at, Pfn first, size_t count, MapAccess access) {
  const size_t page = (at - window_) >> kPageShift;
  QUARRY_CHECK(at >= window_ && page + count <= window_bytes_ >> kPageShift);
  QUARRY_CHECK(uint64_t{first.value()} + count <= end_ >> kPageShift);
  const Gate::Pass pass(gate_);
  MappedRun run{.page = page,
                .frame = first.value(),
                .count = count,
                .read_only = access == MapAccess::kReadOnly,
                .populated = false};
  // Frames that never were mapped may never be touched: the host need not back them now.
  run.populated = parking_ != 0 && all_marked(run.frame, count, kWarm);
  if (!unpark(at, run)) {
    const int protection = run.read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    if (!map_file(at, uint64_t{run.frame} << kPageShift, count << kPageShift, protection,
                  run.populated ? MAP_POPULATE : 0)) {
      return false;
    }
  }
  record_.set(run);
  return true;
}

void Arena::unmap(uintptr_t at, size_t count) {
  const size_t page = (at - window_) >> kPageShift;
  QUARRY_CHECK(at >= window_ && page + count <= window_bytes_ >> kPageShift);
  const Gate::Pass pass(gate_);
  if (parking_ != 0) park(at, page, count);
  take_back(at, count << kPageShift);
  record_.clear(page, count);
}

bool Arena::unpark(uintptr_t at, const MappedRun& run) {
  const uintptr_t parking = parking_;
  if (!run.populated || run.read_only || run.count < kLeastParkedPages) return false;
  if (!all_marked(run.frame, run.count, kParked)) return false;
  const uintptr_t from = parking + (uintptr_t{run.frame} << kPageShift);
  if (!move_entries(from, at, run.count << kPageShift)) {
    parking_ = 0;
    return false;
  }
  set_marks(run.frame, run.count, kWarm);
  return true;
}

// Marks what is about to be unmapped, and saves the entries of runs where that pays.
void Arena::park(uintptr_t at, size_t page, size_t count) {
  MappedRun run;
  for (size_t from = page; record_.next_run(from, page + count, run); from = run.page + run.count) {
    uint8_t marks = kWarm;
    const uintptr_t parking = parking_;
    if (run.populated && !run.read_only && run.count >= kLeastParkedPages && parking != 0) {
      const uintptr_t source = at + ((run.page - page) << kPageShift);
      const uintptr_t place = parking + (uintptr_t{run.frame} << kPageShift);
      if (move_entries(source, place, run.count << kPageShift)) {
        marks |= kParked;
      } else {
        // The host may have left a hole at `place` that others can fill: never go there again.
        parking_ = 0;
      }
    }
    set_marks(run.frame, run.count, marks);
  }
}

// At the limit of mappings (vm.max_map_count) even this takes one more, if only for a moment.
void Arena::take_back(uintptr_t at, size_t bytes) {
  if (clear_host_range(at, bytes)) return;
  if (const uintptr_t spare = spare_.exchange(0); spare != 0) {
    munmap(pointer(spare), kPageBytes);
    const bool cleared = clear_host_range(at, bytes);
    void* const again = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, file_, 0);
    if (again != MAP_FAILED) {
      madvise(again, kPageBytes, MADV_DONTFORK);
      spare_ = reinterpret_cast<uintptr_t>(again);
    }
    if (cleared) return;
  }
  // Whole mappings change their access without becoming more; they go when the range is reused.
  QUARRY_CHECK(mprotect(pointer(at), bytes, PROT_NONE) == 0);
}

bool Arena::all_marked(uint32_t frame, size_t count, Mark mark) const {
  for (size_t i = 0; i != count; ++i) {
    if ((__atomic_load_n(&marks_[frame + i], __ATOMIC_RELAXED) & mark) == 0) return false;
  }
  return true;
}

void Arena::set_marks(uint32_t frame, size_t count, uint8_t marks) {
  for (size_t i = 0; i != count; ++i) {
    __atomic_store_n(&marks_[frame + i], marks, __ATOMIC_RELAXED);
  }
}

void Arena::begin_fork() {
  gate_.close();
  copy_ = create_file(end_);
  if (copy_ >= 0 && !(file_is_ours() && copy_file(copy_))) {
    ::close(copy_);
    copy_ = -1;
  }
}

void Arena::end_fork() {
  if (copy_ >= 0) ::close(copy_);
  copy_ = -1;
  gate_.open();
}

bool Arena::adopt_copy() {
  if (file_is_ours()) ::close(file_);
  file_ = copy_;
  copy_ = -1;
  const bool whole = file_ >= 0 && map_everything_again();
  if (!whole) clear_host_range(reservation_, reservation_bytes_);
  gate_.open();
  return whole;
}

bool Arena::file_is_ours() const {
  struct stat status = {};
  return fstat(file_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

bool Arena::copy_file(int to) const {
  const char* const memory = static_cast<const char*>(pointer(direct_));
  for (off_t at = 0;;) {
    const off_t start = lseek(file_, at, SEEK_DATA);
    if (start < 0) return errno == ENXIO;
    at = lseek(file_, start, SEEK_HOLE);
    if (at < 0) return false;
    if (!write_all(to, memory + start, static_cast<size_t>(at - start), start)) return false;
  }
}

bool Arena::map_everything_again() {
  struct stat status = {};
  if (fstat(file_, &status) != 0) return false;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  madvise(marks_, end_ >> kPageShift, MADV_DONTNEED);
  if (!clear_host_range(reservation_, reservation_bytes_) || !map_views()) return false;
  MappedRun run;
  for (size_t from = 0; record_.next_run(from, record_.end(), run); from = run.page + run.count) {
    const int protection = run.read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    const uint64_t offset = uint64_t{run.frame} << kPageShift;
    if (!map_file(window_ + (run.page << kPageShift), offset, run.count << kPageShift, protection,
                  0)) {
      return false;
    }
  }
  return true;
}

}  // namespace quarry
