// SPDX-License-Identifier: MIT
#include "gfp/memalloc_scope.h"

#include "harness.h"

namespace quarry {
namespace {

QUARRY_TEST(MemallocScope, noio_takes_io_and_fs) {
  MemallocScope scope(QUARRY_PF_MEMALLOC_NOIO);
  CHECK_EQ(uint32_t(current_gfp_context(gfp::kKernel)), uint32_t(gfp::kNoIo));
}

QUARRY_TEST(MemallocScope, nofs_takes_fs_and_noio_beats_it) {
  MemallocScope scope(QUARRY_PF_MEMALLOC_NOFS);
  CHECK_EQ(uint32_t(current_gfp_context(gfp::kKernel)), uint32_t(gfp::kNoFs));
  {
    MemallocScope inner(QUARRY_PF_MEMALLOC_NOIO);
    CHECK_EQ(uint32_t(current_gfp_context(gfp::kKernel)), uint32_t(gfp::kNoIo));
  }
  CHECK_EQ(uint32_t(current_gfp_context(gfp::kKernel)), uint32_t(gfp::kNoFs));
}

QUARRY_TEST(MemallocScope, pin_takes_movable_and_leads_away_from_the_fast_path) {
  CHECK(!needs_context_check(uint32_t(gfp::kHighUserMovable)));
  MemallocScope scope(QUARRY_PF_MEMALLOC_PIN);
  CHECK_EQ(uint32_t(current_gfp_context(gfp::kHighUserMovable)), uint32_t(gfp::kHighUser));
  CHECK(needs_context_check(uint32_t(gfp::kHighUserMovable)));
  CHECK(!needs_context_check(uint32_t(gfp::kKernel)));
}

QUARRY_TEST(MemallocScope, scopes_nest_by_the_bits_that_were_set_before) {
  const uint32_t outer = memalloc_save(QUARRY_PF_MEMALLOC_NOIO);
  CHECK_EQ(outer, 0U);
  const uint32_t inner = memalloc_save(QUARRY_PF_MEMALLOC_NOIO);
  CHECK_EQ(inner, QUARRY_PF_MEMALLOC_NOIO);
  memalloc_restore(QUARRY_PF_MEMALLOC_NOIO, inner);
  CHECK_EQ(uint32_t(current_gfp_context(gfp::kKernel)), uint32_t(gfp::kNoIo));
  memalloc_restore(QUARRY_PF_MEMALLOC_NOIO, outer);
  CHECK_EQ(uint32_t(current_gfp_context(gfp::kKernel)), uint32_t(gfp::kKernel));
}

QUARRY_TEST(MemallocScope, other_flags_are_left_alone) {
  MemallocScope reclaiming(QUARRY_PF_MEMALLOC);
  { MemallocScope scope(QUARRY_PF_MEMALLOC_NOFS); }
  CHECK_EQ(Arch::context().memalloc_flags, QUARRY_PF_MEMALLOC);
}

}  // namespace
}  // namespace quarry
