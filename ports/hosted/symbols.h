// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace quarry {

struct Symbol {
  static constexpr size_t kMaxName = 128;
  char name[kMaxName];
  uintptr_t start;
  size_t bytes;
};

// The function that `address` lies in, from the symbol table of the file it was loaded from, so
// that functions which are not exported have names too. False: unknown. Allocates nothing.
bool find_symbol(uintptr_t address, Symbol& symbol);

}  // namespace quarry
