// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// What becomes of a line that is written to slabinfo.
enum class SlabinfoWrite : uint8_t {
  kDone,
  kReadOnly,  // the engine has no tunables (Linux: -EIO)
  kInvalid,   // no such cache, or not three numbers (-EINVAL)
  kNoMemory,  // no room for such arrays (-ENOMEM)
};

}  // namespace quarry
