// SPDX-License-Identifier: MIT
#include "system/leaks.h"

namespace quarry {

uint64_t report_leaks(Core& core) {
  uint64_t left = 0;
  LogText out(core.pages.platform());
  core.kmem.for_each([&](KmemCache& cache) {
    core.kmem.shrink(cache);
    const SlabCounts sums = core.kmem.counts(cache);
    const size_t objects = sums.total_objects - sums.free_in_partial;
    if (objects == 0) return;
    left += objects;
    format(out, "%s: %zu objects were never freed\n", cache.name, objects);
    core.kmem.report_leaks(cache);
  });
  return left;
}

}  // namespace quarry
