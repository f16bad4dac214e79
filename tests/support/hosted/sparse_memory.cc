// SPDX-License-Identifier: MIT
#include "support/sparse_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace harness {

namespace {

bool map_file(void* at, size_t bytes, int access, int file, size_t from) {
  return mmap(at, bytes, access, MAP_SHARED | MAP_FIXED, file, static_cast<off_t>(from)) !=
         MAP_FAILED;
}

}  // namespace

bool SparseMemory::reserve(size_t bytes) {
  file_ = memfd_create("sparse memory", MFD_CLOEXEC);
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(bytes)) != 0) return false;
  void* const place =
      mmap(nullptr, bytes + kAlign, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return false;
  const auto start = reinterpret_cast<uintptr_t>(place);
  const size_t before = (kAlign - start % kAlign) % kAlign;
  base_ = static_cast<unsigned char*>(place) + before;
  bytes_ = bytes;
  if (before != 0) munmap(place, before);
  munmap(base_ + bytes, kAlign - before);
  return true;
}

void SparseMemory::release() {
  if (base_ != nullptr) munmap(base_, bytes_);
  if (file_ >= 0) close(file_);
  base_ = nullptr;
  file_ = -1;
}

bool SparseMemory::add_memory(size_t at, size_t bytes) {
  return map_file(base_ + at, bytes, PROT_READ | PROT_WRITE, file_, at);
}

void SparseMemory::clear() {
  if (ftruncate(file_, 0) != 0 || ftruncate(file_, static_cast<off_t>(bytes_)) != 0) {
    __builtin_trap();
  }
}

bool SparseMemory::show(size_t at, size_t from, size_t bytes, bool writable) {
  return map_file(base_ + at, bytes, PROT_READ | (writable ? PROT_WRITE : 0), file_, from);
}

void SparseMemory::hide(size_t at, size_t bytes) {
  void* const place = mmap(base_ + at, bytes, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  if (place == MAP_FAILED) __builtin_trap();
}

}  // namespace harness
