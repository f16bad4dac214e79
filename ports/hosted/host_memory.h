// SPDX-License-Identifier: MIT
#pragma once

// Address ranges of the host, as the port uses them.

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace quarry {

// Any place, not backed, faults at every access. Null: the host refuses.
inline void* reserve_host_range(size_t bytes) {
  void* const at =
      mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? nullptr : at;
}

// Whatever is there gives way to nothing, in one step: another thread's mmap cannot slip in.
inline bool clear_host_range(uintptr_t at, size_t bytes) {
  return mmap(reinterpret_cast<void*>(at), bytes, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

// Private zeroed memory; pages appear as they are touched. Null: the host refuses.
template <typename T>
T* new_host_table(size_t count) {
  void* const at = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<T*>(at);
}

template <typename T>
void delete_host_table(T* table, size_t count) {
  if (table != nullptr) munmap(table, count * sizeof(T));
}

}  // namespace quarry
