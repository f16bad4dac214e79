// SPDX-License-Identifier: MIT
#include "gfp/gfp_names.h"

#include "harness.h"

namespace quarry {
namespace {

void check_names(uint32_t flags, const char* wanted) {
  FixedText<512> text;
  print_gfp(text, Gfp(flags));
  CHECK_TEXT(text.c_str(), wanted);
}

QUARRY_TEST(GfpNames, composites_come_first) {
  check_names(0xcc0, "GFP_KERNEL");
  check_names(0xa20, "GFP_ATOMIC");
  check_names(0x800, "GFP_NOWAIT");
  check_names(0xc00, "GFP_NOIO");
  check_names(0xc40, "GFP_NOFS");
  check_names(0x100cc0, "GFP_USER");
  check_names(0x400cc0, "GFP_KERNEL_ACCOUNT");
  check_names(0x100cc2, "GFP_HIGHUSER");
  check_names(0x100cca, "GFP_HIGHUSER_MOVABLE");
  check_names(0x1c20ca, "GFP_TRANSHUGE_LIGHT");
  check_names(0x1c24ca, "GFP_TRANSHUGE");
  check_names(0x1, "GFP_DMA");
  check_names(0x4, "GFP_DMA32");
}

QUARRY_TEST(GfpNames, what_is_over_follows) {
  check_names(0xdc0, "GFP_KERNEL|__GFP_ZERO");
  check_names(0x40cc0, "GFP_KERNEL|__GFP_COMP");
  check_names(0x52cc0, "GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP");
  check_names(0x2a22, "GFP_ATOMIC|__GFP_HIGHMEM|__GFP_NOWARN");
  check_names(0xcd0, "GFP_KERNEL|__GFP_RECLAIMABLE");
  check_names(0x400, "__GFP_DIRECT_RECLAIM");
  check_names(0x820, "GFP_NOWAIT|__GFP_HIGH");
}

QUARRY_TEST(GfpNames, unknown_bits_stay_numbers) {
  check_names(0x8000000, "0x8000000");
  check_names(0x8000cc0, "GFP_KERNEL|0x8000000");
  check_names(0, "");
}

}  // namespace
}  // namespace quarry
