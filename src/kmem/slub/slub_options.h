// SPDX-License-Identifier: MIT
#pragma once

// The kernel parameter slub_debug: which caches are debugged, and how.
//
//   slub_debug[=BLOCK[;BLOCK...]]      without a value: FZPU for all caches
//   BLOCK = [OPTIONS][,CACHE[,CACHE...]]
//
//   F consistency checks  Z red zones  P poison  U users  T trace  A failslab
//   O no debugging data where a slab would need a higher order for it  - nothing
//
// Letters of either case. A block without caches is for all; one with caches is for those, which
// may end with '*', and without options gives them FZPU. The first block that names a cache decides
// about it. If every block has caches, the others are not debugged.

#include <cstdint>

#include "base/text_sink.h"
#include "quarry/abi/kmem_cache.h"

namespace quarry {

class SlubOptions {
 public:
  static constexpr uint32_t kAll = QUARRY_SLAB_CONSISTENCY_CHECKS | QUARRY_SLAB_RED_ZONE |
                                   QUARRY_SLAB_POISON | QUARRY_SLAB_STORE_USER;

  constexpr SlubOptions() = default;

  // `value` is what stands behind "slub_debug=", and has to last; null: the parameter is not there.
  // Letters that mean nothing are named in `complaints` and skipped.
  void read(const char* value, TextSink& complaints);

  // The flags of a cache that is made with these.
  uint32_t flags_of(const char* name, uint32_t flags) const;
  // Whether caches shall do without what would make their slabs larger.
  bool keeps_orders() const { return keeps_orders_; }

 private:
  uint32_t for_all_ = 0;
  const char* blocks_ = nullptr;  // if any has a list of caches
  bool keeps_orders_ = false;
};

}  // namespace quarry
