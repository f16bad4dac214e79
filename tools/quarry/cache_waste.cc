// SPDX-License-Identifier: MIT
#include "cache_waste.h"

#include <algorithm>

namespace quarry::tool {

std::vector<CacheWaste> most_wasting_caches(const RunResult& run, const std::vector<CacheUse>& use,
                                            size_t count) {
  std::vector<CacheWaste> caches;
  for (const CacheState& cache : run.caches) {
    if (cache.id >= use.size() || use[cache.id].slab_pages == 0) continue;
    const CacheUse& held = use[cache.id];
    caches.push_back({cache.name, cache.info.size, held.objects, held.requested_bytes,
                      held.slab_pages * kPageBytes});
  }
  std::ranges::stable_sort(caches, std::ranges::greater{}, &CacheWaste::wasted_bytes);
  caches.resize(std::min(caches.size(), count));
  return caches;
}

}  // namespace quarry::tool
