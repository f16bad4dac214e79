// SPDX-License-Identifier: MIT
#include "gfp/gfp_names.h"

namespace quarry {

namespace {

struct GfpName {
  Gfp flags;
  const char* name;
};

// In the kernel's order: the first name whose bits are all set takes them away from those behind
// it.
constexpr GfpName kGfpNames[] = {
    {gfp::kTransHuge, "GFP_TRANSHUGE"},
    {gfp::kTransHugeLight, "GFP_TRANSHUGE_LIGHT"},
    {gfp::kHighUserMovable, "GFP_HIGHUSER_MOVABLE"},
    {gfp::kHighUser, "GFP_HIGHUSER"},
    {gfp::kUser, "GFP_USER"},
    {gfp::kKernelAccount, "GFP_KERNEL_ACCOUNT"},
    {gfp::kKernel, "GFP_KERNEL"},
    {gfp::kNoFs, "GFP_NOFS"},
    {gfp::kAtomic, "GFP_ATOMIC"},
    {gfp::kNoIo, "GFP_NOIO"},
    {gfp::kNoWait, "GFP_NOWAIT"},
    {gfp::kDma, "GFP_DMA"},
    {gfp::kHighmemBit, "__GFP_HIGHMEM"},
    {gfp::kDma32, "GFP_DMA32"},
    {gfp::kHigh, "__GFP_HIGH"},
    {gfp::kAtomicBit, "__GFP_ATOMIC"},
    {gfp::kIo, "__GFP_IO"},
    {gfp::kFs, "__GFP_FS"},
    {gfp::kNoWarn, "__GFP_NOWARN"},
    {gfp::kRetryMayfail, "__GFP_RETRY_MAYFAIL"},
    {gfp::kNoFail, "__GFP_NOFAIL"},
    {gfp::kNoRetry, "__GFP_NORETRY"},
    {gfp::kComp, "__GFP_COMP"},
    {gfp::kZero, "__GFP_ZERO"},
    {gfp::kNoMemalloc, "__GFP_NOMEMALLOC"},
    {gfp::kMemalloc, "__GFP_MEMALLOC"},
    {gfp::kHardwall, "__GFP_HARDWALL"},
    {gfp::kThisNode, "__GFP_THISNODE"},
    {gfp::kReclaimable, "__GFP_RECLAIMABLE"},
    {gfp::kMovable, "__GFP_MOVABLE"},
    {gfp::kAccount, "__GFP_ACCOUNT"},
    {gfp::kWrite, "__GFP_WRITE"},
    {gfp::kReclaim, "__GFP_RECLAIM"},
    {gfp::kDirectReclaim, "__GFP_DIRECT_RECLAIM"},
    {gfp::kKswapdReclaim, "__GFP_KSWAPD_RECLAIM"},
    {gfp::kZeroTags, "__GFP_ZEROTAGS"},
};

}  // namespace

void print_gfp(TextSink& out, Gfp gfp) {
  const char* separator = "";
  for (const GfpName& entry : kGfpNames) {
    if ((gfp & entry.flags) != entry.flags) continue;
    format(out, "%s%s", separator, entry.name);
    separator = "|";
    gfp &= ~entry.flags;
  }
  if (gfp != Gfp{}) format(out, "%s%#x", separator, uint32_t(gfp));
}

}  // namespace quarry
