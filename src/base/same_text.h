// SPDX-License-Identifier: MIT
#pragma once

namespace quarry {

constexpr bool same_text(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

}  // namespace quarry
