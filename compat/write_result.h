// SPDX-License-Identifier: MIT
#pragma once

#include <linux/errno.h>

#include "quarry/file_write.h"

namespace quarry {

// What write() returns for a file of the kernel.
inline long write_result(FileWrite result, size_t bytes) {
  switch (result) {
    case FileWrite::kDone:
      return static_cast<long>(bytes);
    case FileWrite::kNoFile:
      return -ENOENT;
    case FileWrite::kReadOnly:
      return -EIO;
    case FileWrite::kInvalid:
      return -EINVAL;
    case FileWrite::kOutOfRange:
      return -ERANGE;
    case FileWrite::kNoMemory:
      return -ENOMEM;
  }
  __builtin_unreachable();
}

}  // namespace quarry
