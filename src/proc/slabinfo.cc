// SPDX-License-Identifier: MIT

#include "proc/proc.h"

namespace quarry {

void write_slabinfo(TextSink& out, const Kmem& kmem) {
  if (!kmem.counts_caches()) return format(out, "slabinfo: SLOB keeps no books on caches\n");
  format(out,
         "slabinfo - version: 2.1\n"
         "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
         " : tunables <limit> <batchcount> <sharedfactor>"
         " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
  kmem.for_each_newest_first([&](const KmemCache& cache) {
    const SlabCounts sums = kmem.counts(cache);
    // SLUB's tunables are zero, and every slab counts as active.
    format(out, "%-17s %6lu %6lu %6u %4u %4d : tunables %4u %4u %4u : slabdata %6lu %6lu %6lu\n",
           cache.name, sums.total_objects - sums.free_in_partial, sums.total_objects, cache.size,
           cache.objects, 1 << cache.order.value(), 0U, 0U, 0U, sums.slabs, sums.slabs, 0UL);
  });
}

}  // namespace quarry
