// SPDX-License-Identifier: MIT
#include "gfp_names.h"

#include <quarry/gfp.h>

#include <algorithm>
#include <array>

namespace quarry::tool {
namespace {

struct NamedFlag {
  std::string_view name;
  Gfp flag;
};

constexpr std::array kNamedFlags = {
    NamedFlag{"DMA", gfp::kDmaBit},
    NamedFlag{"HIGHMEM", gfp::kHighmemBit},
    NamedFlag{"DMA32", gfp::kDma32Bit},
    NamedFlag{"MOVABLE", gfp::kMovable},
    NamedFlag{"RECLAIMABLE", gfp::kReclaimable},
    NamedFlag{"HIGH", gfp::kHigh},
    NamedFlag{"IO", gfp::kIo},
    NamedFlag{"FS", gfp::kFs},
    NamedFlag{"ZERO", gfp::kZero},
    NamedFlag{"ATOMIC", gfp::kAtomicBit},
    NamedFlag{"DIRECT_RECLAIM", gfp::kDirectReclaim},
    NamedFlag{"KSWAPD_RECLAIM", gfp::kKswapdReclaim},
    NamedFlag{"WRITE", gfp::kWrite},
    NamedFlag{"NOWARN", gfp::kNoWarn},
    NamedFlag{"RETRY_MAYFAIL", gfp::kRetryMayfail},
    NamedFlag{"NOFAIL", gfp::kNoFail},
    NamedFlag{"NORETRY", gfp::kNoRetry},
    NamedFlag{"MEMALLOC", gfp::kMemalloc},
    NamedFlag{"COMP", gfp::kComp},
    NamedFlag{"NOMEMALLOC", gfp::kNoMemalloc},
    NamedFlag{"HARDWALL", gfp::kHardwall},
    NamedFlag{"THISNODE", gfp::kThisNode},
    NamedFlag{"ACCOUNT", gfp::kAccount},
    NamedFlag{"ZEROTAGS", gfp::kZeroTags},
    // Bits of configurations with memory tagging, lock debugging or object extensions.
    NamedFlag{"SKIP_ZERO", Gfp{}},
    NamedFlag{"SKIP_KASAN", Gfp{}},
    NamedFlag{"SKIP_KASAN_UNPOISON", Gfp{}},
    NamedFlag{"SKIP_KASAN_POISON", Gfp{}},
    NamedFlag{"NOLOCKDEP", Gfp{}},
    NamedFlag{"NO_OBJ_EXT", Gfp{}},
};

}  // namespace

std::optional<Gfp> gfp_flag(std::string_view name) {
  const auto found = std::ranges::find(kNamedFlags, name, &NamedFlag::name);
  if (found == kNamedFlags.end()) return std::nullopt;
  return found->flag;
}

}  // namespace quarry::tool
