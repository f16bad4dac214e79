// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace quarry {

// What becomes of a text that is written where the kernel has a file.
enum class FileWrite : uint8_t {
  kDone,
  kNoFile,      // there is none of that name (Linux: -ENOENT)
  kReadOnly,    // writing to it does nothing, to slabinfo where the engine has no tunables (-EIO)
  kInvalid,     // that makes no sense (-EINVAL)
  kOutOfRange,  // a number too large (-ERANGE)
  kNoMemory,    // no room for such arrays (-ENOMEM)
};

}  // namespace quarry
