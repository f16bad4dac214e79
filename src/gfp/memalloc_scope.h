// SPDX-License-Identifier: MIT
#pragma once

// Scopes in which every allocation of the running task is restricted, however deep in callees that
// pass GFP_KERNEL (Linux: memalloc_noio_save() and its relatives,
// core-api/gfp_mask-from-fs-io.rst). Scopes nest: each save returns the bits that were set before,
// its restore puts them back.

#include "gfp/zone_table.h"
#include "sync/execution_context.h"

namespace quarry {

// `flags`: QUARRY_PF_MEMALLOC*. Which of them were set already.
inline uint32_t memalloc_save(uint32_t flags) {
  quarry_context& context = Arch::context();
  const uint32_t before = context.memalloc_flags & flags;
  context.memalloc_flags |= flags;
  update_forbidden_gfp(context);
  return before;
}

// `before` is what memalloc_save(flags) returned.
inline void memalloc_restore(uint32_t flags, uint32_t before) {
  quarry_context& context = Arch::context();
  context.memalloc_flags = (context.memalloc_flags & ~flags) | before;
  update_forbidden_gfp(context);
}

class MemallocScope {
 public:
  explicit MemallocScope(uint32_t flags) : flags_(flags), before_(memalloc_save(flags)) {}
  ~MemallocScope() { memalloc_restore(flags_, before_); }
  MemallocScope(const MemallocScope&) = delete;
  MemallocScope& operator=(const MemallocScope&) = delete;

 private:
  uint32_t flags_;
  uint32_t before_;
};

// A request's flags with the task's scopes applied: NOIO takes IO and FS away and beats NOFS, which
// takes FS; PIN takes MOVABLE.
constexpr Gfp apply_memalloc_scopes(Gfp gfp, uint32_t flags) {
  if ((flags & QUARRY_PF_MEMALLOC_NOIO) != 0) {
    gfp &= ~(gfp::kIo | gfp::kFs);
  } else if ((flags & QUARRY_PF_MEMALLOC_NOFS) != 0) {
    gfp &= ~gfp::kFs;
  }
  if ((flags & QUARRY_PF_MEMALLOC_PIN) != 0) gfp &= ~gfp::kMovable;
  return gfp;
}

inline Gfp current_gfp_context(Gfp gfp) {
  return apply_memalloc_scopes(gfp, Arch::context().memalloc_flags);
}

}  // namespace quarry
