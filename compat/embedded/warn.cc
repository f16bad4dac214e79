// SPDX-License-Identifier: MIT

// What the kernel's C API itself needs of <linux/bug.h>, for kernels that do not define it.

#include <linux/bug.h>

#include "default_system.h"

namespace quarry {

extern "C" void quarry_warn(const char* file, int line, const char* function) {
  FixedText<256> where;
  format(where, "%s (%s:%d)", function, file, line);
  default_core().pages.reporter().warn(QUARRY_PLACE, where.c_str());
}

}  // namespace quarry
