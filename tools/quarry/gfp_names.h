// SPDX-License-Identifier: MIT
#pragma once

#include <quarry/gfp.h>

#include <optional>
#include <string_view>

namespace quarry::tool {

// One GFP flag by the name that a trace gives it (`IO`, `KSWAPD_RECLAIM`: without the
// leading underscores and `GFP_`); no bits for a flag that some version of Linux has and this
// library does not need, nothing for a name of no version. Bit numbers of a trace are not ours:
// they move between versions, so only names are trusted.
std::optional<Gfp> gfp_flag(std::string_view name);

}  // namespace quarry::tool
