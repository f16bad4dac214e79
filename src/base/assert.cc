// SPDX-License-Identifier: MIT
#include "base/assert.h"

namespace quarry {

// The volatile copies keep what failed in the stack frame, where a debugger finds it.
[[gnu::weak]] void check_failed(const char* expression, const char* file, int line) {
  [[maybe_unused]] const char* volatile failed_expression = expression;
  [[maybe_unused]] const char* volatile failed_file = file;
  [[maybe_unused]] volatile int failed_line = line;
  __builtin_trap();
}

}  // namespace quarry
