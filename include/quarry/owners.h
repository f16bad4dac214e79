// SPDX-License-Identifier: MIT
#pragma once

// Owners: each holds one thing that a MemorySystem gave out and gives it back when it dies. They
// move and do not copy, and may be null. The system outlives them.
//
//   KmallocPtr<char> text(system, static_cast<char*>(system.kmalloc(100, gfp::kKernel)));
//   if (!text) return;   // out of memory
//
// Giving back is allowed where the call that it stands for is (memory_system.h).

#include <utility>

#include "quarry/memory_system.h"

namespace quarry {

// `Release` is called as release(system, pointer) for a pointer that is not null.
template <typename T, typename Release>
class Owner {
 public:
  constexpr Owner() = default;
  Owner(MemorySystem& system, T* pointer, Release release = {})
      : system_(&system), pointer_(pointer), release_(release) {}
  Owner(Owner&& other) noexcept
      : system_(other.system_), pointer_(other.release()), release_(other.release_) {}
  Owner& operator=(Owner&& other) noexcept {
    if (this != &other) {
      reset();
      system_ = other.system_;
      release_ = other.release_;
      pointer_ = other.release();
    }
    return *this;
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { reset(); }

  [[nodiscard]] T* get() const { return pointer_; }
  [[nodiscard]] explicit operator bool() const { return pointer_ != nullptr; }
  [[nodiscard]] T* operator->() const { return pointer_; }
  [[nodiscard]] std::add_lvalue_reference_t<T> operator*() const requires(!std::is_void_v<T>) {
    return *pointer_;
  }
  [[nodiscard]] std::add_lvalue_reference_t<T> operator[](size_t index) const
      requires(!std::is_void_v<T>) {
    return pointer_[index];
  }

  // The caller's from now on.
  [[nodiscard]] T* release() { return std::exchange(pointer_, nullptr); }
  // Gives it back now.
  void reset() {
    if (pointer_ != nullptr) release_(*system_, release());
  }

 private:
  MemorySystem* system_ = nullptr;
  T* pointer_ = nullptr;
  [[no_unique_address]] Release release_{};
};

struct KmallocRelease {
  void operator()(MemorySystem& system, const void* object) const { system.kfree(object); }
};
struct VmallocRelease {
  void operator()(MemorySystem& system, const void* area) const { system.vfree(area); }
};
struct KvmallocRelease {
  void operator()(MemorySystem& system, const void* memory) const { system.kvfree(memory); }
};
struct PageRelease {
  Order order;  // of the block
  void operator()(MemorySystem& system, Page* page) const { system.free_pages(page, order); }
};
struct CacheRelease {
  void operator()(MemorySystem& system, KmemCache* cache) const { system.cache_destroy(cache); }
};
struct CacheObjectRelease {
  KmemCache* cache = nullptr;
  void operator()(MemorySystem& system, void* object) const { system.cache_free(cache, object); }
};

// Memory is freed, objects in it are not destroyed: for trivially destructible types.
template <typename T>
using KmallocPtr = Owner<T, KmallocRelease>;
template <typename T>
using VmallocPtr = Owner<T, VmallocRelease>;
template <typename T>
using KvmallocPtr = Owner<T, KvmallocRelease>;
template <typename T>
using CacheObjectPtr = Owner<T, CacheObjectRelease>;
using PagePtr = Owner<Page, PageRelease>;
// Objects of a cache have to be gone before it.
using CachePtr = Owner<KmemCache, CacheRelease>;

}  // namespace quarry
