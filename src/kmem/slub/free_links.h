// SPDX-License-Identifier: MIT
#pragma once

// How a free object holds the address of the next: as it is, or mixed with a secret of the cache
// and the place where it stands, so that whoever overwrites a free object cannot lead the allocator
// where he likes (Linux: CONFIG_SLAB_FREELIST_HARDENED). The secret follows from the system's seed.

#include "kmem/kmem_cache.h"

namespace quarry {

struct PlainLinks {
  size_t offset;

  void*& word(void* object) const {
    return *reinterpret_cast<void**>(static_cast<unsigned char*>(object) + offset);
  }
  void* load(void* object) const { return word(object); }
  void store(void* object, void* next) const { word(object) = next; }
  // Whether what was loaded has to be looked at before it is followed.
  static constexpr bool kCheckable = false;
};

struct HardenedLinks : PlainLinks {
  uintptr_t secret;

  void* load(void* object) const { return mixed(word(object), object); }
  void store(void* object, void* next) const { word(object) = mixed(next, object); }
  // Something else than a link is unlikely to lead into the slab.
  static constexpr bool kCheckable = true;

 private:
  // Low bits of places are alike, so they go where those of addresses are.
  void* mixed(void* pointer, void* object) const {
    const auto place = reinterpret_cast<uintptr_t>(&word(object));
    uintptr_t swapped = 0;
    for (unsigned byte = 0; byte != sizeof(place); ++byte) {
      swapped = swapped << 8 | (place >> 8 * byte & 0xff);
    }
    return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(pointer) ^ secret ^ swapped);
  }
};

// Calls `use` with the kind of links that the cache has.
template <class Use>
auto with_links(const KmemCache& cache, Use use) {
  if (cache.link_secret == 0) return use(PlainLinks{cache.offset});
  return use(HardenedLinks{{cache.offset}, cache.link_secret});
}

inline void* load_link(const KmemCache& cache, void* object) {
  return with_links(cache, [=](const auto& links) { return links.load(object); });
}
inline void store_link(const KmemCache& cache, void* object, void* next) {
  with_links(cache, [=](const auto& links) { links.store(object, next); });
}

}  // namespace quarry
